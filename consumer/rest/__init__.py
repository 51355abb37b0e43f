"""REST over a release: every published table, and the questions that are asked most, as JSON, CSV or Parquet."""

from consumer.rest.api import routes as routes
