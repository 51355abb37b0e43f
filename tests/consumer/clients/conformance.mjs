// Runs every audit of graphql-http against the endpoint and prints [{id, name, status, reason}].
import { serverAudits } from "graphql-http";

const results = await Promise.all(
  serverAudits({ url: process.argv[2], fetchFn: fetch }).map(async (audit) => {
    const { status, reason } = await audit.fn();
    return { id: audit.id, name: audit.name, status, reason };
  }),
);
console.log(JSON.stringify(results));
