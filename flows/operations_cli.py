"""What do the commands of operations do: those that schedulers and the keepers of models run, beside the main job of ``flows.cli``?

Everything that takes long to import is imported inside the commands, after the environment is set.
"""

from __future__ import annotations

import typer

operations = typer.Typer()
