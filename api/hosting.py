"""From a wired system to what the routes need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from api.errors import UnknownCamera
from api.keys import key_hash
from api.service import Problem, Service
from pipeline.clocks import system_clock
from pipeline.config import LoadedConfig
from pipeline.domain import Frame
from pipeline.errors import StoreError
from pipeline.wiring import System


def service_of(system: System, loaded: LoadedConfig, environment: Mapping[str, str]) -> Service:
    """The service's view of a system. Raises ConfigError for a gateway key that is not there."""
    config = loaded.config
    pushed = {
        camera.camera_id
        for point in system.points
        for camera in point.cameras
        if camera.url.startswith("push:")
    }

    def offer(frame: Frame) -> None:
        if frame.camera_id not in pushed:
            raise UnknownCamera(
                f"camera {frame.camera_id} takes no pushed frames",
                hint="its url in the configuration must be push:",
            )
        system.engine.offer(frame)

    def readiness() -> Sequence[Problem]:
        problems = []
        for name, store in (("ledger", system.stores.ledger), ("evidence", system.stores.evidence)):
            try:
                store.check()
            except StoreError as error:
                problems.append(Problem(name, str(error.args[0]), error.hint))
        if waiting := system.recorder.waiting:
            problems.append(
                Problem(
                    "recorder",
                    f"{waiting} decisions could not be written yet",
                    "see what the stores say; they are written as soon as that is mended",
                )
            )
        return problems

    folder = system.stores.folder
    return Service(
        ledger=system.stores.ledger,
        outbox=system.stores.ledger,
        evidence=system.stores.evidence,
        points=system.points,
        offer_frame=offer,
        gateway_keys={
            key_hash(gateway.read(environment, loaded.base)): frozenset(gateway.cameras)
            for gateway in config.gateways
        },
        readiness=readiness,
        camera_status=system.decider.statuses,
        clock=system.clock,
        site_zone=ZoneInfo(config.time_zone),
        simulated=config.simulated,
        link_check=None
        if folder is None
        else lambda key, expires, signature: folder.link_is_valid(
            key, expires, signature, system_clock()
        ),
        picture_origin=system.stores.picture_origin,
        registry=system.registry,
    )
