"""Whether a deployment of prefect.yaml runs at its time: server, pool, deployment and worker, all real and on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.local_scheduler import POOL, local_scheduler
from tests.small_county import Place
from tests.small_market import write_market


def test_a_deployment_runs_at_its_time(place: Place, tmp_path: Path) -> None:
    folder = write_market(tmp_path / "incoming", weeks=4)
    with local_scheduler(tmp_path / "prefect", place.stores | {"PREFECT_WORKER_QUERY_SECONDS": "1"}) as server:
        server.deploy("-n", "load_flow/weekly")
        crons = [schedule["schedule"]["cron"] for schedule in server.deployments()["load/weekly"]["schedules"]]
        assert crons == ["30 22 * * 0"]
        at = datetime.now(UTC) + timedelta(seconds=5)
        run = server.schedule("load/weekly", at, {"folder": str(folder), "config": str(place.config)})
        with server.running("worker", "start", "--pool", POOL, "--limit", "1"):
            ended = server.ended(run)
    assert ended["state_type"] == "COMPLETED", ended
    # Prefect waits for whole seconds
    assert datetime.fromisoformat(ended["start_time"]) >= at - timedelta(seconds=0.5)
    assert place.rows("SELECT count(*) AS n FROM raw.order_lines").n[0] > 0
    runs = place.rows("SELECT status, deployment FROM scored.runs WHERE flow = 'load'")
    assert (runs.status.tolist(), runs.deployment.tolist()) == (["succeeded"], ["weekly"])
