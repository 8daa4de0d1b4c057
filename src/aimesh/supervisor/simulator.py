"""``python -m aimesh.supervisor.simulator``: the provider simulator as a child of the supervisor, for the demo."""

from aimesh.settings import Settings
from aimesh.simulator.app import Simulator
from aimesh.supervisor.inside import Supervision, run_child
from aimesh.supervisor.orders import Brief


async def main(brief: Brief, _settings: Settings, supervision: Supervision) -> None:
    simulator = Simulator()
    await simulator.start_on(*brief.listeners)
    supervision.ready()
    await supervision.stopped.wait()
    await simulator.stop()


if __name__ == "__main__":
    run_child(main)
