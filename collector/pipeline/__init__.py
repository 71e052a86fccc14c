"""Pipelines: what becomes of a record between the vendor and the spool, step by step."""

from collector.core.work import Outcome
from collector.pipeline.pipeline import Pipeline
from collector.pipeline.step import Step

__all__ = ["Outcome", "Pipeline", "Step"]
