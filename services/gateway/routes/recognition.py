"""How sure recognition is: the thresholds in force, and what they mean."""

from fastapi import APIRouter, Depends

from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.photo_judge import judge_everybody_again
from services.gateway.recognition_schemas import CalibrationInfo, CalibrationWanted

router = APIRouter(prefix="/api/recognition", tags=["recognition"], dependencies=[Depends(require_session)])


@router.get("/calibration", operation_id="get_calibration")
async def get_calibration(context: ContextDep) -> CalibrationInfo:
    """Return the thresholds in force, and what they do on the gallery as it is now."""
    return await context.thresholds.tell(await context.names.read())


@router.post("/calibration", operation_id="calibrate")
async def calibrate(
    wanted: CalibrationWanted, context: ContextDep, principal: PrincipalDep
) -> CalibrationInfo:
    """Fit the thresholds to the gallery; every recognizer uses them within a second."""
    info = await context.thresholds.calibrate(
        await context.names.read(), false_accept_rate=wanted.false_accept_rate
    )
    await _note(context, principal, "recognition.calibrated", f"{info.accept_similarity:.4f}")
    await _judge_photos_again(context)
    return info


@router.delete("/calibration", operation_id="reset_calibration")
async def reset(context: ContextDep, principal: PrincipalDep) -> CalibrationInfo:
    """Put the embedder's own thresholds in force again."""
    info = await context.thresholds.reset(await context.names.read())
    await _note(context, principal, "recognition.reset", "")
    await _judge_photos_again(context)
    return info


async def _judge_photos_again(context: Context) -> None:
    await context.database.run(judge_everybody_again)
    context.photo_judge.look_soon()


async def _note(context: Context, principal: Principal, action: str, subject: str) -> None:
    await context.database.run(
        lambda session: audit(
            session, actor=principal.username, address=principal.address, action=action, subject=subject
        )
    )
