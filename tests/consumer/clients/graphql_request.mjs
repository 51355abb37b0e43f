// Asks with graphql-request and prints the answer, then the error of a query that is wrong.
import { GraphQLClient, gql } from "graphql-request";

const client = new GraphQLClient(process.argv[2]);
const query = gql`
  query Named($names: [String!]) {
    oso_projectsV1(where: { projectName: { _in: $names } }) { projectName codeMetricsByProjectV1 { starCount } }
  }
`;
console.log(JSON.stringify(await client.request(query, { names: ["alpha", "beta"] })));
console.log(await client.request("{ nothing }").catch((error) => error.response.errors[0].message));
