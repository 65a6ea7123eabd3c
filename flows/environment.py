"""What the libraries underneath need in the process environment before they are imported, and what of the system must be there."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

from contracts.errors import ConfigurationError
from flows.locations import PROJECT_FOLDER
from flows.log_lines import FORMAT_VARIABLE
from flows.settings import Settings

QUIET_AND_OFFLINE = {
    # lower case: MLflow accepts only that
    "DO_NOT_TRACK": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # a flow without a server starts its own, whose log is nobody's concern
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # a cold start on a busy machine takes longer than the default of 20
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # MLflow would look for a project's own lock file and copy it into every model
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    # models are text files: nothing that could run code on loading is accepted
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # with any other load on the machine LightGBM's threads spin while they wait: 7.5 s became 30 s
    "OMP_WAIT_POLICY": "PASSIVE",
    # the same, for matrices of few columns that need no threads: 0.6 s became 11 s
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
}


OBJECTS_PER_COLLECTION = 5_000
"""With Python's 700, a quarter of the time in which ibis compiles an expression goes into looking for garbage."""


def prepare(settings: Settings) -> None:
    """Set the environment of this process for Prefect, MLflow and LightGBM; call it before any of them is imported.

    What is set already stays, so that for instance ``PREFECT_API_URL`` or ``PREFECT_HOME`` of a user's own server win.

    Parameters
    ----------
    settings
        ``logging.libraries`` decides what the libraries may say.
    """
    choices = QUIET_AND_OFFLINE | {
        "PREFECT_HOME": str(PROJECT_FOLDER / ".prefect"),
        "PREFECT_LOGGING_LEVEL": settings.logging.libraries,
        "PREFECT_LOGGING_TO_API_ENABLED": "true" if "PREFECT_API_URL" in os.environ else "false",
        "MLFLOW_LOGGING_LEVEL": settings.logging.libraries,
        # MLflow repeats a request that a server does not answer, after 1, 2, 4, … seconds
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(settings.retries.attempts),
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    }
    if settings.logging.format == "json":
        choices[FORMAT_VARIABLE] = "json"
    for variable, value in choices.items():
        os.environ.setdefault(variable, value)
    gc.set_threshold(OBJECTS_PER_COLLECTION)


def require_openmp(library: str = "libgomp.so.1") -> None:
    """Check that the system has the OpenMP library that LightGBM is linked against.

    Parameters
    ----------
    library
        File name by which the system's loader knows it.

    Raises
    ------
    ConfigurationError
        If it is missing, which LightGBM itself reports as a failed import. Only Linux is checked.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise ConfigurationError(
            f"the system library {library}, which LightGBM needs, cannot be loaded: {error}",
            hint="install it: `apt-get install libgomp1` on Debian and Ubuntu, `dnf install libgomp` on Fedora and Red Hat",
        ) from error
