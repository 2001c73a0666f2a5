# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The outcome of one step of the tests."""

from dataclasses import dataclass, field


@dataclass
class Result:
    """How many tests of a step passed and failed, and what is wrong."""

    passed: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def fail(self, problem: str) -> None:
        """Add something wrong that is not a single test."""
        self.problems.append(problem)

    def add(self, other: "Result") -> None:
        """Add what another run of the same step found."""
        self.passed += other.passed
        self.failed += other.failed
        self.problems += other.problems

    def settle(self) -> None:
        """A step with a problem counts as failed, also when no test of it did."""
        if self.passed + self.failed == 0 and not self.problems:
            self.fail("no test ran")
        if self.problems and not self.failed:
            self.failed = 1
