"""Cameras that are not registered yet: testing an address, asking for streams, searching the network.

Each is a question with an identifier; its answers come one after the other and are asked for with it.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Path, Query, Response, status

from mien.contracts.camera_requests import CameraSearch, ProfileQuery, StreamTest
from mien.contracts.cameras import Camera
from services.gateway.access import ContextDep, require_session
from services.gateway.addresses import check_kind
from services.gateway.camera_request_schemas import (
    AnswersInfo,
    ProfilesWanted,
    QuestionAsked,
    SearchWanted,
    StreamTestWanted,
    reply_info,
)
from services.gateway.new_camera import split_url

router = APIRouter(prefix="/api/camera-requests", tags=["cameras"], dependencies=[Depends(require_session)])
RequestIdPath = Annotated[str, Path(max_length=48)]


@router.post("/test", status_code=status.HTTP_202_ACCEPTED)
async def test_camera(wanted: StreamTestWanted, context: ContextDep) -> QuestionAsked:
    """Open an address and say how it is: a step, and steps again, then how it went, with a picture."""
    address = split_url(context.settings, wanted.url)
    check_kind(wanted.kind, address.url)
    username, password = wanted.username or address.username, wanted.password or address.password
    if password is None and wanted.camera_id is not None:
        known = await context.registry.get(wanted.camera_id)
        # Elsewhere somebody could listen for it.
        if urlsplit(known.url).hostname == urlsplit(address.url).hostname:
            username, password = username or known.username, known.password
    camera = Camera(
        camera_id=wanted.camera_id or "candidate",
        name="Candidate",
        url=address.url,
        partition=0,
        username=username,
        password=password,
        kind=wanted.kind,
        transport=wanted.transport,
        certificate_sha256=wanted.certificate_sha256,
    )
    request = StreamTest(camera=camera, measure_seconds=wanted.measure_seconds)
    return QuestionAsked(request_id=await context.questions.ask(request))


@router.post("/profiles", status_code=status.HTTP_202_ACCEPTED)
async def list_camera_profiles(wanted: ProfilesWanted, context: ContextDep) -> QuestionAsked:
    """Ask a camera over ONVIF which streams it has, and choose those that suit Mien."""
    request = ProfileQuery(address=wanted.address, username=wanted.username, password=wanted.password)
    return QuestionAsked(request_id=await context.questions.ask(request))


@router.post("/search", status_code=status.HTTP_202_ACCEPTED)
async def search_cameras(wanted: SearchWanted, context: ContextDep) -> QuestionAsked:
    """Look for ONVIF cameras in the networks that ingest is in; each is an answer of its own."""
    return QuestionAsked(request_id=await context.questions.ask(CameraSearch(seconds=wanted.seconds)))


@router.get("/{request_id}")
async def get_camera_answers(
    request_id: RequestIdPath,
    context: ContextDep,
    seen: Annotated[int, Query(ge=0, le=10_000, description="How many answers you have already")] = 0,
    wait_seconds: Annotated[float, Query(ge=0, le=10)] = 5.0,
) -> AnswersInfo:
    """Return the answers that are new, waiting for one if there is none yet."""
    answers = await context.questions.answers(request_id, seen=seen, wait_seconds=wait_seconds)
    return AnswersInfo(
        replies=[reply_info(reply) for reply in answers.new], ended=answers.ended, failure=answers.failure
    )


@router.get(
    "/{request_id}/snapshot.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def get_test_snapshot(request_id: RequestIdPath, context: ContextDep) -> Response:
    """Return the picture that a test has taken."""
    jpeg = await context.questions.snapshot(request_id)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})
