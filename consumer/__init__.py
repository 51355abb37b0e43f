"""The serving side: reads releases, never the pipeline."""
