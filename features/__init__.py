"""What the models see: expressions over the contract's tables, as of a cut-off; nothing here executes one."""
