"""What runs, when and in what order: settings, the command line, Prefect flows, MLflow tracking."""
