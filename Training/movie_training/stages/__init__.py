"""The stages of the recipe, in their order; names as in the YAML."""

from .adversarial import AdversarialStage
from .autoencoder import AutoencoderStage
from .base import Stage
from .distillation import GuidanceStage, VelocityStage
from .teacher import Guidance, TeacherStage
from .temporal import TemporalStage

STAGES: dict[str, type[Stage]] = {
    stage.name: stage
    for stage in (AutoencoderStage, TeacherStage, GuidanceStage, VelocityStage, AdversarialStage, TemporalStage)
}
__all__ = ["STAGES", "Guidance", "Stage"]
