"""What each kind alone and each fact alone decides: `python tests/singly.py [WORD]` prints a table to review.

A line has the answer, the pattern, the rule that chose it, the confidence, the number of caveats, and what else is
acceptable. With WORD only the lines that contain it. A person who knows the field should agree with every line:
nothing else is stated, so the answer must be the advice to somebody who states no more than that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from advisor.base.data import data
from advisor.engine.decision import decide, lead_case
from advisor.engine.space import typical
from advisor.engine.verdict import Judge
from advisor.model.answers_in_words import named
from advisor.model.rulebase import Question, RuleBase
from advisor.model.values import Other, Value
from advisor.ruleset.cache import load

CONFIDENCE = {"high": "high", "medium": "med", "low": "low"}


def answers_of(question: Question) -> Iterator[Value]:
    """Every answer that the rules can tell apart, one not listed included."""
    if question.type == "yes-no":
        yield from (True, False)
    elif question.type == "number":
        yield from (value for band in question.bands if (value := typical(band, question)) is not None)
    elif question.type == "one-of":
        yield from (*question.options, Other("not listed"))
    elif question.type == "some-of":
        yield from ((option,) for option in question.options)
        yield (Other("not listed"),)


def alone(base: RuleBase) -> Iterator[dict[str, Value]]:
    """The kinds first, then every other fact in the order of the questions."""
    questions = [base.questions["kind"], *(q for q in base.questions.values() if q.id != "kind")]
    yield from ({question.id: answer} for question in questions for answer in answers_of(question))


def lines(base: RuleBase) -> Iterator[str]:
    judge = Judge(base)
    yield f"{'the only answer':42} {'pattern':17} {'rule':30} {'conf':4} caveats  acceptable too"
    for answers in alone(base):
        verdict = judge.feature("f", answers)
        rule = decide(lead_case(answers, base), base).rule
        ((fact, answer),) = answers.items()
        besides = ", ".join(a["id"] for a in verdict["acceptable"] if a["id"] != verdict["primary"])
        yield (
            f"{fact + ' ' + named(fact, answer, base):42.42} {verdict['primary'] or 'none':17} "
            f"{rule.id if rule else '':30} {CONFIDENCE[verdict['confidence']]:4} "
            f"{len(verdict['caveats']):2}       {besides}"
        )


def main(words: list[str]) -> None:
    for line in lines(load(data("rules"))):
        if all(word in line for word in words):
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
