"""How steps run under Prefect: what a flow and a task are, when a task is tried again, and where key figures are shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, Task, flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext
from prefect.runtime import deployment as deployment_under_way

from contracts.errors import WarehouseAwayError
from flows.console import tell
from flows.prefect_server import prefect_server
from flows.settings import Settings

DEPLOYMENT = "UNCAP_DEPLOYMENT"
"""Environment variable by which `uncap serve` tells a command which deployment it is."""

P = ParamSpec("P")
R = TypeVar("R")


def named_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a Prefect task whose arguments are not hashed and whose result is not stored.

    Pass settings, names and dates to a task rather than frames.

    Examples
    --------
    >>> @named_task("count the order lines")
    ... def count_order_lines(settings: Settings) -> int: ...
    """
    return task(name=name, cache_policy=NO_CACHE, persist_result=False)


def named_flow(name: str) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Make a function a Prefect flow that a deployment can name as its entry point.

    Examples
    --------
    >>> @named_flow("score")
    ... def score_flow(config: str | None = None, as_of: str | None = None) -> None: ...
    """
    return flow(name=name, persist_result=False)


def in_flow(name: str, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Run a function as a Prefect flow in this process, starting a server for it where ``PREFECT_API_URL`` names none.

    Parameters
    ----------
    name
        Name of the flow.
    function, arguments, named
        What to run; its tasks show under the flow.

    Returns
    -------
    R
        What the function returns; what it raises is raised unchanged.

    Examples
    --------
    >>> def score(settings: Settings, as_of: date | None) -> None:
    ...     in_flow("score", score_steps, settings, as_of)
    """

    def steps() -> R:
        return function(*arguments, **named)

    with prefect_server():
        return flow(name=name, persist_result=False)(steps)()


def with_retries(step: Task[P, R], settings: Settings) -> Task[P, R]:
    """Return a task that is tried again while another process holds the warehouse or its server is away, telling so on stderr.

    Bad data, a refused statement or a missing model fail at once. MLflow repeats its own requests to a tracking server.

    Examples
    --------
    >>> with_retries(load_files, settings)(settings, folder)  # doctest: +SKIP
    """
    delay_seconds = settings.retries.delay_seconds

    def is_away(_task: Task[..., Any], _task_run: TaskRun, state: State[Any]) -> bool:
        try:
            state.result()
        except WarehouseAwayError as error:
            tell(f"{step.name}: {error.message}; trying again in {delay_seconds:g} s", "warning")
            return True
        except Exception:  # noqa: BLE001 - only the question whether to try again; the task raises what failed
            return False
        return False

    return step.with_options(
        retries=settings.retries.attempts,
        retry_delay_seconds=delay_seconds,
        retry_condition_fn=is_away if settings.retries.attempts else None,
    )


def deployment_name() -> str | None:
    """Return the name of the deployment whose time it is, as `uncap serve` or Prefect tells it; None where it was started otherwise."""
    if told := os.environ.get(DEPLOYMENT):
        return told
    context = FlowRunContext.get()
    scheduled = context is not None and context.flow_run is not None and context.flow_run.deployment_id is not None
    return str(deployment_under_way.name) if scheduled else None


def show_key_figures(key: str, rows: Sequence[Mapping[str, object]], description: str) -> None:
    """Store rows as a Prefect table artifact of the flow that is running.

    Parameters
    ----------
    key
        Lower case letters, digits and dashes; runs of one key make a history.
    rows
        One mapping per row, all with the same keys.
    description
        One sentence shown above the table.
    """
    create_table_artifact(table=[{name: _plain(value) for name, value in row.items()} for row in rows], key=key, description=description)


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
