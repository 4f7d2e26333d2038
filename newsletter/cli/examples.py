"""Examples of commands, which their `--help` shows. A test runs each of them as it stands here."""

EXAMPLES = {
    "run": ("newsletter run", "newsletter run --dry-run"),
    "collect": ("newsletter collect",),
    "render": ("newsletter render --list daily --format text",),
    "send": ("newsletter send --list daily --to you@example.org",),
    "lint": ("newsletter lint --list daily",),
    "backtest": ("newsletter backtest --list daily --from 2026-03-02 --to 2026-03-06",),
    "serve": ("newsletter serve",),
    "web": ("newsletter web", "newsletter web --host 127.0.0.1 --port 8080"),
    "preview": ("newsletter preview --open",),
    "export-site": ("newsletter export-site var/site --base-url https://papers.example.org",),
    "status": ("newsletter status",),
    "doctor": ("newsletter doctor",),
    "issues": (
        "newsletter issues list",
        "newsletter issues pause --list daily",
        "newsletter issues resume --list daily",
    ),
    "deliveries": ("newsletter deliveries list --state deferred",),
    "init": ("newsletter init ~/papers",),
    "demo": ("newsletter demo",),
    "db": (
        "newsletter db upgrade",
        "newsletter db backup backups/papers.db",
        "newsletter db restore backups/papers.db --assume-sent-until now",
    ),
    "lists": ("newsletter lists check", "newsletter lists schema"),
    "subscribers": ("newsletter subscribers plan", "newsletter subscribers list"),
    "inbound": ("newsletter inbound process --dry-run --maildir var/inbox",),
    "bounces": ("newsletter bounces process --dry-run --maildir var/inbox",),
    "suppressions": ("newsletter suppressions list",),
}
