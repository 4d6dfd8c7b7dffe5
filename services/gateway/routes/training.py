"""Training networks, and which of their versions is in use."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Response, status

from services.gateway.access import ContextDep, PrincipalDep, require_admin
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.training_data import (
    expressions_to_train_on,
    folders_to_train_on,
    people_to_train_on,
)
from services.gateway.training_options import require_kind
from services.gateway.training_schemas import (
    DataSource,
    JobDetail,
    JobInfo,
    JobRequest,
    LabelWanted,
    TrainingInfo,
)

router = APIRouter(prefix="/api/training", tags=["training"], dependencies=[Depends(require_admin)])
JobPath = Annotated[str, Path(pattern=r"^[a-z]+(-[a-z0-9]+)+$", max_length=80)]
ModelPath = Annotated[str, Path(pattern=r"^[a-z0-9_]+$", max_length=80)]
# A report is a page that another process wrote: it may show itself, and do nothing at all.
_REPORT_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
}


@router.get("", operation_id="get_training")
async def get_training(context: ContextDep) -> TrainingInfo:
    """Return what can be trained, all trainings, and the versions of the trained models."""
    return await context.training.overview()


@router.get("/data/{kind}", operation_id="get_training_data")
async def get_data(kind: Annotated[str, Path(max_length=40)], context: ContextDep) -> list[DataSource]:
    """Return what a kind of training could learn from, and of what there is too little."""
    wanted, datasets = require_kind(kind), context.training.datasets
    if wanted.trains_on == "people":
        return [await context.database.run(lambda session: people_to_train_on(session, wanted))]
    folders = await asyncio.to_thread(folders_to_train_on, datasets, wanted)
    if wanted.trains_on == "folder":
        return folders
    return [await context.database.run(lambda session: expressions_to_train_on(session, wanted)), *folders]


@router.post("/jobs", status_code=status.HTTP_201_CREATED, operation_id="start_training")
async def start(wanted: JobRequest, context: ContextDep, principal: PrincipalDep) -> JobInfo:
    """Ask for a training; it begins when no other runs."""
    job = await context.training.start(wanted, requested_by=principal.username)
    await _audit(context, principal, "training.started", job.job_id)
    return job


@router.get("/jobs/{job_id}", operation_id="get_training_job")
async def get_job(job_id: JobPath, context: ContextDep) -> JobDetail:
    """Return a training with its progress and curves."""
    return await context.training.detail(job_id)


@router.post("/jobs/{job_id}/cancel", status_code=status.HTTP_202_ACCEPTED, operation_id="cancel_training")
async def cancel(job_id: JobPath, context: ContextDep, principal: PrincipalDep) -> JobDetail:
    """Ask a training to end, which it does within seconds; it can be gone on with."""
    await context.training.cancel(job_id)
    await _audit(context, principal, "training.cancelled", job_id)
    return await context.training.detail(job_id)


@router.post("/jobs/{job_id}/resume", status_code=status.HTTP_202_ACCEPTED, operation_id="resume_training")
async def resume(job_id: JobPath, context: ContextDep, principal: PrincipalDep) -> JobDetail:
    """Go on with a training that did not finish."""
    await context.training.resume(job_id)
    await _audit(context, principal, "training.resumed", job_id)
    return await context.training.detail(job_id)


@router.delete("/jobs/{job_id}", status_code=status.HTTP_204_NO_CONTENT, operation_id="delete_training")
async def delete(job_id: JobPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Delete a training with its report and pictures; a version that it published stays."""
    await context.training.delete(job_id)
    await _audit(context, principal, "training.deleted", job_id)


@router.get(
    "/jobs/{job_id}/report.html",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}},
    operation_id="get_training_report",
)
async def get_report(job_id: JobPath, context: ContextDep, principal: PrincipalDep) -> Response:
    """Return a training's report; it shows faces, so it is noted who looked."""
    page = await context.training.report(job_id)
    await _audit(context, principal, "training.report_read", job_id)
    return Response(page, media_type="text/html", headers=_REPORT_HEADERS)


@router.put("/models/{model}/labels/{label}", operation_id="give_model_label")
async def give_label(
    model: ModelPath,
    label: Literal["stable", "canary"],
    wanted: LabelWanted,
    context: ContextDep,
    principal: PrincipalDep,
) -> TrainingInfo:
    """Try a version as canary, or make it stable; a running model server follows within seconds."""
    await context.training.give_label(model, label, wanted.version)
    await _audit(context, principal, f"model.{label}", f"{model} version {wanted.version}")
    return await context.training.overview()


@router.post("/models/{model}/rollback", operation_id="roll_back_model")
async def roll_back(model: ModelPath, context: ContextDep, principal: PrincipalDep) -> TrainingInfo:
    """Make the version stable again that was so before."""
    await context.training.roll_back(model)
    await _audit(context, principal, "model.rolled_back", model)
    return await context.training.overview()


async def _audit(context: Context, principal: Principal, action: str, subject: str) -> None:
    await context.database.run(
        lambda session: audit(
            session, actor=principal.username, address=principal.address, action=action, subject=subject
        )
    )
