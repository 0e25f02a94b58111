"""Language models, for `Bot.converse`: two clients, and the protocol for a third."""

from parley.models.bedrock import Bedrock
from parley.models.model import Answer, Model, ModelError, Partial, Picture, Prompt, Said, Tool, ToolCall
from parley.models.openai import OpenAICompatible

__all__ = [
    "Answer",
    "Bedrock",
    "Model",
    "ModelError",
    "OpenAICompatible",
    "Partial",
    "Picture",
    "Prompt",
    "Said",
    "Tool",
    "ToolCall",
]
