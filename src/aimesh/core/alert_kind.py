"""What alerts are about, and where they go."""

from enum import StrEnum


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    """JSON, signed with HMAC-SHA256."""
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    """Lark too."""
    WECOM = "wecom"
    SMTP = "smtp"


class RuleKind(StrEnum):
    ERROR_RATE = "error_rate"
    PROVIDER_DOWN = "provider_down"
    CREDENTIAL_FAILING = "credential_failing"
    QUOTA_USED = "quota_used"
    BUDGET_USED = "budget_used"
    IMPORT_LAG = "import_lag"
