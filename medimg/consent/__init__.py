"""The consent checklist: definition, context, answers, state, sheets."""
