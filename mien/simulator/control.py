"""The control port: faults switched over HTTP, by whoever runs the simulator."""

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from mien.simulator.camera import SimulatedCamera
from mien.simulator.faults import FAULTS, FaultError

Power = Callable[[], Awaitable[None]]


def control_app(cameras: Mapping[str, SimulatedCamera], *, refuse: Power, accept: Power) -> web.Application:
    """Return the web application of the control port.

    ::

        GET    /cameras                         viewers, openings and faults of each
        GET    /faults                          what there is, and what it does
        PUT    /cameras/NAME/faults/FAULT       switch it on; ?value=NUMBER where it is an amount
        DELETE /cameras/NAME/faults[/FAULT]     heal it, or all
        POST   /cameras/NAME/drop               close the camera's connections
        POST   /cameras/NAME/show/OTHER         show what another camera shows: another size or codec
        POST   /refuse, /accept                 as without power, and on again; all cameras
    """

    def find(request: web.Request, key: str = "name") -> SimulatedCamera:
        name = request.match_info[key]
        if (camera := cameras.get(name)) is None:
            raise web.HTTPNotFound(text=f"no camera {name!r}; there are {sorted(cameras)}")
        return camera

    async def list_cameras(_: web.Request) -> web.Response:
        return web.json_response({name: _describe(camera) for name, camera in cameras.items()})

    async def list_faults(_: web.Request) -> web.Response:
        return web.json_response(dict(FAULTS))

    async def switch_on(request: web.Request) -> web.Response:
        try:
            find(request).faults.set(request.match_info["fault"], request.query.get("value"))
        except FaultError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.Response(status=204)

    async def heal(request: web.Request) -> web.Response:
        try:
            find(request).faults.heal(request.match_info.get("fault"))
        except FaultError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.Response(status=204)

    async def drop(request: web.Request) -> web.Response:
        find(request).drop()
        return web.Response(status=204)

    async def show(request: web.Request) -> web.Response:
        other = find(request, "other").source
        if other.is_live:
            raise web.HTTPConflict(text="a camera that encodes live can't be shown by another")
        find(request).change_source(copy.copy(other))
        return web.Response(status=204)

    async def power(request: web.Request) -> web.Response:
        await (refuse() if request.path == "/refuse" else accept())
        return web.Response(status=204)

    app = web.Application()
    app.add_routes(
        [
            web.get("/cameras", list_cameras),
            web.get("/faults", list_faults),
            web.put("/cameras/{name}/faults/{fault}", switch_on),
            web.delete("/cameras/{name}/faults/{fault}", heal),
            web.delete("/cameras/{name}/faults", heal),
            web.post("/cameras/{name}/drop", drop),
            web.post("/cameras/{name}/show/{other}", show),
            web.post("/refuse", power),
            web.post("/accept", power),
        ]
    )
    return app


def _describe(camera: SimulatedCamera) -> dict[str, Any]:
    return {
        "viewers": len(camera.viewers),
        "openings": camera.openings,
        "faults": camera.faults.active(),
    }
