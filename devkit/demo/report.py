# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is printed after the story: the verdicts, the table, and where to look."""

from collections import Counter

from rich import box
from rich.markup import escape
from rich.table import Table

from devkit.console import console, say
from devkit.demo import people
from devkit.demo.expectations import Facts, Verdict

# title -> characters that must fit; what is left goes to the reasons
COLUMNS = {"who wrote": 17, "lead": 12, "salesperson": 11, "why": 14, "answer": 10}


def verdicts(found: list[Verdict]) -> None:
    """One line for each expectation."""
    say("\n[bold]What was expected[/]")
    for verdict in found:
        mark = "[green]ok    [/]" if verdict.holds else "[red]failed[/]"
        problem = f": {verdict.problem}" if verdict.problem else ""
        console.print(f"  {mark}  {escape(verdict.title + problem)}", soft_wrap=True)
    held = sum(verdict.holds for verdict in found)
    say(f"  {held} of {len(found)} expectations held")


def table(facts: Facts) -> None:
    """Who wrote, which lead, who has it and why, what became of the answers."""
    shown = Table(box=box.SIMPLE_HEAD, show_lines=True, padding=(0, 1))
    for title, narrowest in COLUMNS.items():
        shown.add_column(title, min_width=narrowest)
    for who in people.CUSTOMERS:
        for talk in facts.conversations.get(who.name, []):
            number = talk.channel["whatsapp_phone"]
            name = number or f"@{talk.channel['whatsapp_username']}"
            cells = (
                f"{who.name}\n{name}",
                talk.lead.get("name") or "none",
                talk.owner or "nobody",
                "\n".join(talk.reasons),
                _answer(facts, who.name),
            )
            shown.add_row(*map(escape, cells))
    say("\n[bold]The story in Odoo[/]")
    console.print(shown)


def _answer(facts: Facts, name: str) -> str:
    row = facts.rows.get(name)
    if not row:
        return "not yet"
    state = row["delivery"] or row["state"]
    if row["attempts"] > 1:
        return f"{state} at attempt {row['attempts']}"
    return state


def where_to_look(facts: Facts, url: str) -> None:
    """Addresses and logins; the salesperson with most to see comes first."""
    owners = Counter(
        talk.owner for talks in facts.conversations.values() for talk in talks
    )
    colleagues = sorted(people.SALESPEOPLE, key=lambda who: -owners[who.name])
    say(f"\n[bold]Look at it:[/] {url}")
    for who in (*colleagues, people.MANAGER):
        what = (
            "sees everything of the team"
            if who.leads_team
            else f"{owners[who.name]} conversations, CRM > WhatsApp > WhatsApp inbox"
        )
        login = f"login {who.login}, password {who.password}"
        console.print(f"  {who.name}: {login} [dim]({what})", soft_wrap=True)
    login, password = people.ADMIN
    say(f"  administrator: login {login}, password {password}")
    say('Write as a customer: ./dev simulate "Hola" --from "+52 55 9876 5432"')
