"""The controls that policies carry out, by the numbers and in the words of their catalogues.

`python -m infra.policy.controls` prints the table of docs/controls.md.
"""

from collections.abc import Iterable

from infra.policy.model import Policy
from infra.policy.rules import POLICIES

CONTROLS = {
    # Cloud Security Alliance, Cloud Controls Matrix v4.0
    "CCM BCR-08": "Backup",
    "CCM CCC-04": "Unauthorized change protection",
    "CCM CCC-06": "Change management baseline",
    "CCM CCC-08": "Exception management",
    "CCM CEK-03": "Data encryption",
    "CCM CEK-10": "Key generation",
    "CCM DCS-06": "Assets cataloguing and tracking",
    "CCM DSP-17": "Sensitive data protection",
    "CCM GRC-04": "Policy exception process",
    "CCM IAM-05": "Least privilege",
    "CCM IAM-10": "Management of privileged access roles",
    "CCM IAM-15": "Passwords management",
    "CCM IVS-02": "Capacity and resource planning",
    "CCM IVS-03": "Network security",
    "CCM IVS-04": "OS hardening and base controls",
    "CCM IVS-06": "Segmentation and segregation",
    "CCM LOG-02": "Audit logs protection",
    # ISO/IEC 27001:2022, Annex A
    "ISO 27001 A.5.9": "Inventory of information and other associated assets",
    "ISO 27001 A.5.17": "Authentication information",
    "ISO 27001 A.5.36": "Compliance with policies, rules and standards",
    "ISO 27001 A.8.2": "Privileged access rights",
    "ISO 27001 A.8.3": "Information access restriction",
    "ISO 27001 A.8.6": "Capacity management",
    "ISO 27001 A.8.9": "Configuration management",
    "ISO 27001 A.8.12": "Data leakage prevention",
    "ISO 27001 A.8.13": "Information backup",
    "ISO 27001 A.8.15": "Logging",
    "ISO 27001 A.8.20": "Networks security",
    "ISO 27001 A.8.22": "Segregation of networks",
    "ISO 27001 A.8.24": "Use of cryptography",
    "ISO 27001 A.8.32": "Change management",
    # Center for Internet Security, Critical Security Controls v8
    "CIS 1.1": "Detailed enterprise asset inventory",
    "CIS 3.3": "Data access control lists",
    "CIS 3.11": "Encrypt sensitive data at rest",
    "CIS 4.1": "Secure configuration process",
    "CIS 4.4": "Firewall on servers",
    "CIS 4.6": "Securely manage enterprise assets and software",
    "CIS 4.8": "Disable unnecessary services",
    "CIS 8.10": "Retain audit logs",
    "CIS 11.3": "Protect recovery data",
    "CIS 12.2": "Secure network architecture",
}


def table(policies: Iterable[Policy] = POLICIES) -> str:
    """The policies with their risks and controls, as a table in Markdown."""
    lines = ["| policy | the risk | controls |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{each.name}` | {each.risk} | {_listed(each)} |" for each in policies)])


def _listed(policy: Policy) -> str:
    return ", ".join(f"{control} {CONTROLS[control]}" for control in policy.controls)


if __name__ == "__main__":
    print(table())
