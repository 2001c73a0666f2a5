# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who takes part in the demo: the shop, its sales team, and seven customers."""

from dataclasses import asdict, dataclass

COMPANY = {
    "name": "Muebles del Valle",
    "street": "Avenida Álvaro Obregón 151",
    "city": "Ciudad de México",
    "zip": "06700",
    "phone": "+52 55 4160 2200",
    "website": "https://mueblesdelvalle.example",
}
COUNTRY, CURRENCY = "MX", "MXN"
LANGUAGE, TIMEZONE = "es_MX", "America/Mexico_City"
TEAM = "Ventas WhatsApp"
ADMIN = ("admin", "admin")  # login, password


@dataclass(frozen=True)
class Colleague:
    """Somebody of the sales team. The password is the login: nobody else gets in."""

    login: str
    name: str
    job: str
    leads_team: bool = False
    on_leave: bool = False

    @property
    def password(self) -> str:
        return self.login


MANAGER = Colleague("mariana", "Mariana Ortega", "Gerente de ventas", leads_team=True)
SALESPEOPLE = (
    Colleague("sofia", "Sofía Ramírez", "Asesora de ventas"),
    Colleague("diego", "Diego Hernández", "Asesor de ventas"),
    Colleague("valeria", "Valeria Torres", "Asesora de ventas"),
)
AWAY = Colleague("emilio", "Emilio Vargas", "Asesor de ventas", on_leave=True)
COLLEAGUES = (MANAGER, *SALESPEOPLE, AWAY)


@dataclass(frozen=True)
class Customer:
    """Somebody with WhatsApp, as the simulator must make them.

    `phone` is what people dial, `wa_id` what Meta calls it, `e164` what Odoo should
    make of it; a person without them is known by the username alone.
    """

    name: str
    phone: str | None = None
    wa_id: str | None = None
    e164: str | None = None
    username: str | None = None
    country: str | None = None
    reads: bool = False

    def values(self) -> dict:
        """What the simulator's control door wants to know."""
        given = {k: v for k, v in asdict(self).items() if v and k != "e164"}
        return given if self.phone else given | {"hide_phone": True}


LUCIA = Customer(
    "Lucía Fernández", "+52 55 1234 5678", "5215512345678", "+525512345678", reads=True
)
JAVIER = Customer("Javier Ortiz", "+34 612 345 678", "34612345678", "+34612345678")
RAFAEL = Customer("Rafael Souza", "+55 41 98888-7777", "554188887777", "+5541988887777")
CAMILA = Customer("Camila Reyes", username="camila.deco", country="MX")
FERNANDA = Customer(
    "Fernanda Castillo", "+52 33 3123 4567", "5213331234567", "+523331234567"
)
TOMAS = Customer("Tomás Aguilar", "+52 81 8123 4567", "5218181234567", "+528181234567")
PATRICIA = Customer(
    "Patricia Luna", "+52 55 3456 7890", "525534567890", "+525534567890"
)
CUSTOMERS = (LUCIA, JAVIER, RAFAEL, CAMILA, FERNANDA, TOMAS, PATRICIA)

# The ad by which Camila comes.
AD = {
    "source_url": "https://www.instagram.com/p/C9sierra",
    "source_type": "ad",
    "source_id": "120226305854810726",
    "headline": "Sofá Sierra en diez colores",
    "body": "Envío gratis en noviembre",
    "media_type": "image",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
}
# What Patricia bought before the story, and from whom.
SALE = {
    "name": "Librero Jalisco",
    "contact_name": "Patricia Luna",
    "phone": "55 34 56 78 90",
}
SELLER = SALESPEOPLE[1]

# What a salesperson wrote down before the story, with the ninth digit and by hand.
KNOWN_LEAD = {
    "name": "Doce sillas de parota para restaurante",
    "contact_name": "Rafael Souza",
    "phone": "55 (41) 9 8888.7777",
}
KNOWN_LEAD_OWNER = SALESPEOPLE[2]
