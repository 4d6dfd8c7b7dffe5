"""Strangers: who was seen and is nobody we know."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response, status
from sqlalchemy import update
from sqlalchemy.orm import Session

from services.gateway import strangers as sql
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.people import NotFoundError, get_person, new_id
from services.gateway.recognition_schemas import (
    StrangerDetail,
    StrangerInfo,
    StrangerPolicyInfo,
    StrangersChosen,
    StrangersIgnored,
    StrangersNamed,
    VisitsChosen,
)
from services.gateway.schemas import PersonInfo
from services.gateway.tables import Person, Stranger, StrangerVisit

router = APIRouter(prefix="/api/strangers", tags=["strangers"], dependencies=[Depends(require_session)])
StrangerPath = Annotated[str, Path(max_length=40)]
_IMAGE: dict[int | str, dict[str, object]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("", operation_id="list_strangers")
async def get_strangers(context: ContextDep) -> list[StrangerInfo]:
    """List everybody unknown who is remembered, the one seen last in front."""
    rules = await context.strangers.refresh()
    who = await context.names.read()
    return await context.database.run(lambda session: sql.list_strangers(session, who, rules))


@router.get("/policy", operation_id="get_stranger_policy")
async def get_policy(context: ContextDep) -> StrangerPolicyInfo:
    """Return for how long strangers are remembered."""
    rules = await context.strangers.refresh()
    return StrangerPolicyInfo(keep_days=rules.stranger_policy.keep_days)


@router.put("/policy", operation_id="set_stranger_policy")
async def set_policy(
    policy: StrangerPolicyInfo, context: ContextDep, principal: PrincipalDep
) -> StrangerPolicyInfo:
    """Say for how long strangers are remembered; what is older is forgotten at once, 0 days forgets all."""
    await context.strangers.set_policy(policy.keep_days)
    await _note(context, principal, "strangers.policy", f"{policy.keep_days:g} days")
    return policy


@router.get("/faces/{visit_id:path}.jpg", response_class=Response, responses=_IMAGE)
async def get_visit_face(visit_id: Annotated[str, Path(max_length=130)], context: ContextDep) -> Response:
    """Return the face that was seen best in a visit."""

    def read(session: Session) -> bytes:
        visit = session.get(StrangerVisit, visit_id)
        if visit is None:
            raise NotFoundError("there is no such visit: it may have been forgotten meanwhile")
        return visit.face_jpeg

    jpeg = await context.database.run(read)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


@router.get("/{stranger_id}", operation_id="get_stranger")
async def get_one_stranger(stranger_id: StrangerPath, context: ContextDep) -> StrangerDetail:
    """Return one stranger with every visit."""
    await context.strangers.refresh()
    who = await context.names.read()

    def read(session: Session) -> StrangerDetail:
        info = sql.get_stranger(session, who, stranger_id)
        visits = sql.list_visits(session, sql.ids_of(who, [stranger_id]))
        return StrangerDetail(**info.model_dump(), visits=[sql.visit_info(visit) for visit in visits])

    return await context.database.run(read)


@router.post("/name", operation_id="name_strangers")
async def name(named: StrangersNamed, context: ContextDep, principal: PrincipalDep) -> PersonInfo:
    """Say who strangers are: their history gets the name, and their best faces are enrolled.

    Several strangers of one name count as one from now on.
    """
    await context.strangers.refresh()
    roots = [sql.root_of(await context.names.read(), id_) for id_ in named.stranger_ids]
    if len(set(roots)) > 1:
        await context.strangers.merge(list(dict.fromkeys(roots)))
    ids = sql.ids_of(await context.names.read(), named.stranger_ids)
    person_id = named.person_id or new_id()

    def write(session: Session) -> None:
        if named.name is not None:
            fields = {"consent_note": named.consent_note, "from_stranger_id": roots[0]}
            session.add(Person(person_id=person_id, name=named.name, **fields))
            session.flush()
        sql.give_name(session, ids, person_id)
        _audit(session, principal, "strangers.named", f"{person_id}: {', '.join(ids)}")

    await context.database.run(write)
    await context.strangers.rename(ids)
    context.enrolment.send_soon()
    return await context.database.run(lambda session: get_person(session, person_id))


@router.post("/{stranger_id}/unname", operation_id="unname_stranger")
async def unname(stranger_id: StrangerPath, context: ContextDep, principal: PrincipalDep) -> StrangerInfo:
    """Take a name back: history, the faces that were enrolled, and the person if they were nothing else."""
    await context.strangers.refresh()
    ids = sql.ids_of(await context.names.read(), [stranger_id])

    for photo_id in await context.database.run(lambda session: sql.photos_from(session, ids)):
        await context.templates.remove_photo(photo_id)

    def write(session: Session) -> None:
        sql.take_name(session, ids)
        _audit(session, principal, "strangers.unnamed", ", ".join(ids))

    await context.database.run(write)
    await context.strangers.rename(ids)
    who = await context.names.read()
    return await context.database.run(lambda session: sql.get_stranger(session, who, stranger_id))


@router.post("/ignore", status_code=status.HTTP_204_NO_CONTENT, operation_id="ignore_strangers")
async def ignore(wanted: StrangersIgnored, context: ContextDep, principal: PrincipalDep) -> None:
    """Leave strangers out of history and alerts, or take them in again."""
    await context.strangers.refresh()
    ids = sql.ids_of(await context.names.read(), wanted.stranger_ids)

    def write(session: Session) -> None:
        chosen = Stranger.stranger_id.in_(ids)
        session.execute(update(Stranger).where(chosen).values(ignored=wanted.ignored))
        _audit(
            session, principal, "strangers.ignored" if wanted.ignored else "strangers.heeded", ", ".join(ids)
        )

    await context.database.run(write)
    await context.names.announce_change()


@router.post("/merge", operation_id="merge_strangers")
async def merge(chosen: StrangersChosen, context: ContextDep, principal: PrincipalDep) -> StrangerInfo:
    """Let several strangers count as the first of them."""
    root_id = await context.strangers.merge(chosen.stranger_ids)
    await _note(context, principal, "strangers.merged", ", ".join(chosen.stranger_ids))
    who = await context.names.read()
    return await context.database.run(lambda session: sql.get_stranger(session, who, root_id))


@router.post(
    "/{stranger_id}/unmerge", status_code=status.HTTP_204_NO_CONTENT, operation_id="unmerge_stranger"
)
async def unmerge(stranger_id: StrangerPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Let a stranger who was joined with another count for themselves again."""
    await context.strangers.unmerge(stranger_id)
    await _note(context, principal, "strangers.unmerged", stranger_id)


@router.post("/{stranger_id}/split", operation_id="split_stranger")
async def split(
    stranger_id: StrangerPath, chosen: VisitsChosen, context: ContextDep, principal: PrincipalDep
) -> StrangerInfo:
    """Count some visits to somebody else, who is a new stranger."""
    split_id = await context.strangers.split(stranger_id, chosen.visit_ids)
    await _note(context, principal, "strangers.split", f"{stranger_id}: {split_id}")
    who = await context.names.read()
    return await context.database.run(lambda session: sql.get_stranger(session, who, split_id))


@router.post("/forget", status_code=status.HTTP_204_NO_CONTENT, operation_id="forget_strangers")
async def forget(chosen: StrangersChosen, context: ContextDep, principal: PrincipalDep) -> None:
    """Forget strangers everywhere: faces, vectors, and their number in the history."""
    await context.strangers.refresh()
    ids = sql.ids_of(await context.names.read(), chosen.stranger_ids)
    await context.strangers.forget(ids)
    await _note(context, principal, "strangers.forgotten", f"{len(ids)}")


async def _note(context: Context, principal: Principal, action: str, subject: str) -> None:
    await context.database.run(lambda session: _audit(session, principal, action, subject))


def _audit(session: Session, principal: Principal, action: str, subject: str) -> None:
    audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)
