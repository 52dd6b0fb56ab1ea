"""The commands of `jisr`, one module each. They speak to the node's own databases and broker, on the node itself."""
