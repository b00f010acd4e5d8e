"""The nouns: values, boxes of cases, the rule base, platforms and limits, a project, the verdict."""
