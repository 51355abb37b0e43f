// Asks twice with Apollo Client and automatic persisted queries; prints what it sent and the answers.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const sent = [];
const http = new HttpLink({
  uri: process.argv[2],
  fetch: (url, options) => {
    const asked = options.body ?? decodeURIComponent(url);
    sent.push(`${options.method}${asked.includes("persistedQuery") ? " hash" : ""}${/"query":|query=/.test(asked) ? " text" : ""}`);
    return fetch(url, options);
  },
});
const persisted = new PersistedQueryLink({
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  useGETForHashedQueries: process.argv[3] === "GET",
});
const client = new ApolloClient({ link: ApolloLink.from([persisted, http]), cache: new InMemoryCache() });
const query = gql`
  query Stars($first: Int) {
    code_metrics_by_project_v1(limit: $first, order_by: { star_count: desc_nulls_last }) { project_id star_count }
  }
`;
const answers = [];
for (const first of [1, 2]) {
  answers.push((await client.query({ query, variables: { first } })).data.code_metrics_by_project_v1);
}
console.log(JSON.stringify({ sent, answers }));
