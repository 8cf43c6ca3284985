"""First rank: what is said in plain words, and decides whatever status or type it comes with."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

_LIMIT: Final = (
    r"(?:rate|quota|limit|requests?|calls|usage|tokens|credits|budget|queries|messages|frequency|allowance"
    r"|searches|lookups|downloads|units|limited)"
)
_PERIOD: Final = (
    r"(?:(?:per|each|every|an?|this|/) ?(?:second|sec|minute|min|hour|day|week|month|24 ?h|billing cycle"
    r"|billing period)\b|\bdaily\b|\bhourly\b"
    r"|\bmonthly\b|\bweekly\b|perday|perminute|per_day|per_minute|\b(?:rpm|tpm|rpd|tpd|rps|qps|qpm)\b"
    r"|\btoday\b|\btomorrow\b|\bmidnight\b"
    r"|(?:resets?|renews?|refill(?:s|ed)?|replenish(?:es|ed)?|refresh(?:es|ed)?|restored)\b(?: (?:at|in|on"
    r"|after|every|automatically|again))?"
    r"|(?:until|till|before|after) (?:the )?(?:next|end of|\d{4}-|\d{1,2}:\d\d))"
)
_NOT_A_RATE: Final = (
    r"(?:disk|storage|inode|mailbox|file ?system|memory|context|recursion|size|length|depth|time"
    r"|upload size|body|header|payload|field"
    r"|character|open files?|file descriptor|redirect|nesting|maximum token|max[_ ]tokens?) ?(?:limit|quota)"
)

PLAIN: Final = (
    # Sizes, disks and contexts speak of limits and quotas too, and mean something else.
    Rule(
        id="disk-full",
        cls="systemic",
        sure="high",
        text=r"no space left on device|disk quota exceeded|disk (?:is )?full"
        r"|not enough (?:free )?(?:disk )?space|insufficient[ _](?:disk|storage|space)|out of (?:disk|storage) space"
        r"|could not extend file|storage ?quota|quota exceeded for storage|filesystem full|no free (?:disk )?space"
        r"|disk usage exceeded|low disk watermark|flood.stage disk watermark",
        example=("OSError", "[Errno 28] No space left on device: '/data/out.bin'"),
        fix="Free some disk space.",
    ),
    Rule(
        id="context-too-long",
        cls="item",
        sure="high",
        text=r"context (?:length|window|size)|maximum (?:context|prompt|input)|(?:prompt|input|request|content"
        r"|message"
        r"|text|document)s? (?:is |are )?too (?:long|large|many tokens)|too many (?:input |prompt )?tokens (?:in"
        r"|for) |exceeds? the (?:maximum|max) (?:number of )?(?:tokens|length)"
        r"|reduce the length of the (?:messages|prompt|input)|(?:input|prompt) token count .{0,40}exceeds"
        r"|string too long\. expected a string with maximum length|max_tokens_per_request",
        unless=r"per (?:min|minute|day|hour|second)\b|\btpm\b|uri too|url too|file ?name too",
        example=("litellm.BadRequestError", "This model's maximum context length is 8192 tokens, you requested 9120"),
        fix="Split the input, or choose a model with more context.",
    ),
    Rule(
        id="content-refused",
        cls="item",
        sure="high",
        text=r"content (?:management )?policy|content[ _-]?filter|safety (?:system|filters?|settings|reasons)"
        r"|flagged (?:as|by|for)|violat\w+ (?:our|the|of) (?:usage |content |safety )?polic|blocked (?:by|due to"
        r"|because of) (?:safety|content|recitation|prohibited)|responsible ?ai|moderation"
        r"|finish_reason.{0,20}(?:safety|recitation|content_filter)",
        example=(
            "litellm.BadRequestError",
            "The response was filtered due to the prompt triggering content management policy",
        ),
    ),
    # Money that does not come back by itself.
    Rule(
        id="prepaid-empty",
        cls="systemic",
        sure="high",
        text=r"(?:credit|account|prepaid|wallet|token)s? ?balance (?:is )?(?:too low|empty|exhausted|insufficient"
        r"|depleted|0\b|zero|negative|not enough|of \$?0|has (?:run out|been (?:used|exhausted|depleted)))"
        r"|insufficient (?:account |wallet )?(?:balance|funds|credits?)|(?:run|ran|are|is) out of (?:prepaid "
        r"|paid |api )?(?:credits?|funds|money|balance)|no (?:remaining )?(?:credits?|funds|balance)(?: (?:left"
        r"|remaining|available))?|not enough (?:credits?|funds|balance)|(?:credits?|funds|balance) (?:have been "
        r"|has been |are |is )?(?:exhausted|depleted|used up|ran out)|out of credits?\b|top[ -]?up|recharge"
        r"|(?:purchase|buy|add) (?:more |additional )?(?:credits?|funds)|prepaid|can only afford|negative balance"
        r"|balance[: ]+-?\$?0(?:\.0+)?\b|requires? more credits",
        unless=r"(?:reset|renew|refill|refresh|replenish)\w*(?: (?:at|in|on|every|automatically|again)|[. ])|(?:daily"
        r"|monthly|hourly|weekly|free) (?:free )?(?:credit|token)s?|credits? per|retry[- ]after|\bcard has",
        example=(
            "litellm.BadRequestError",
            "Your credit balance is too low to access the API. Please purchase credits.",
        ),
        fix="Pay or top up the account.",
    ),
    Rule(
        id="quota-renews",
        cls="throttled",
        sure="high",
        text=rf"\b{_LIMIT}\b.{{0,160}}{_PERIOD}|{_PERIOD}.{{0,100}}\b{_LIMIT}\b.{{0,30}}(?:exceed|reach|used|hit"
        rf"|exhaust|over)",
        unless=rf"{_NOT_A_RATE}|insufficient_quota|suspended|deactivated|(?:invalid|expired|unknown) (?:api )?(?:key"
        rf"|token)|timed? ?out|validation error",
        example=("ClientError", "403: Daily Limit Exceeded. The quota will be reset at midnight Pacific Time"),
    ),
    Rule(
        id="quota-retry",
        cls="throttled",
        sure="high",
        text=r"\b(?:quota|rate|limit|requests|throttl\w+|too many|too fast|flood|cooldown|slow down)\b",
        retry_after=True,
        unless=rf"{_NOT_A_RATE}|overloaded|invalid|timed out",
        example=("RateLimitError", "Quota exceeded for metric generate_requests. Please retry in 33.4s"),
    ),
    Rule(
        id="billing-off",
        cls="systemic",
        sure="high",
        text=r"check your plan and billing|billing (?:hard limit|details|account|not |is not|is disabled|has not"
        r"|issue"
        r"|problem)|enable billing|payment (?:is )?(?:required|method|failed|overdue|past due)|unpaid|past[- ]due"
        r"|overdue (?:invoice|payment|bill)|in arrears|outstanding (?:invoice|balance)|(?:subscription|trial|plan"
        r"|licen[cs]e|membership) (?:period )?(?:has |have |is |was )?(?:already )?(?:come to an end|run out"
        r"|expired|ended|lapsed|inactive|cancell?ed|over\b|not active|suspended)|(?:upgrade|subscribe to) (?:your"
        r"|a|to a|to) .{0,30}plan|not (?:available|included|supported) (?:in|on|under"
        r"|with) your (?:current )?(?:plan|subscription|tier)|only (?:available|accessible|included|supported) (?:on"
        r"|in|with"
        r"|for|to) (?:the |our |an? )?(?:\w+ ){0,2}(?:plan|tier)s?\b|account.{0,20} (?:suspended|disabled|banned"
        r"|locked)"
        r".{0,60}contact|requires? a (?:paid|premium|pro|higher) (?:plan"
        r"|subscription|tier)|non-?payment|(?:your|this api|the (?:billing|project)) (?:account|organi[sz]ation"
        r"|project|workspace|api access|access|app|team) (?:\S+ )?(?:has been |have been |is |was )?(?:currently "
        r"|temporarily |permanently )?(?:suspended|deactivated|disabled|terminated|closed|banned|locked|on hold"
        r"|delinquent)|no active (?:subscription|plan|licen[cs]e)|premium (?:endpoint|feature)|expired licen[cs]e"
        r"|free trial",
        unless=r"this (?:video|episode|article|content|item|film|movie|track|podcast)|to watch|premium members"
        r"|rate limit"
        r"|too many requests",
        example=("RateLimitError", "You exceeded your current quota, please check your plan and billing details."),
        fix="Look at the account's plan and billing.",
    ),
    Rule(
        id="quota-used-up",
        cls="systemic",
        sure="high",
        codes=r"insufficientquota|billinghardlimit|billingnotactive|billingdisabled|paymentrequired|insufficientfunds"
        r"|insufficientbalance|insufficientcredits?|creditsexhausted|outofcredits|quotanotrenewing"
        r"|servicequotaexceeded|subscriptionrequired|accountsuspended|accountdeactivated|licenseexpired"
        r"|accountdisabled",
        example=(
            "openai.RateLimitError",
            "Error code: 429 - {'error': {'code': 'insufficient_quota', 'message': 'no'}}",
        ),
        fix="Look at the account's plan and billing.",
    ),
    Rule(
        id="too-many-attempts-at-login",
        cls="systemic",
        sure="medium",
        text=r"(?:too many|exceeded).{0,20}(?:failed )?(?:login|sign[- ]?in|password|authentication) attempts"
        r"|account (?:is |has been )?locked",
        example=("AuthError", "Account locked: too many failed login attempts"),
        fix="Unlock the account and mend the credentials.",
    ),
    # Requests that come too often.
    Rule(
        id="rate-limited",
        cls="throttled",
        sure="high",
        text=r"too many (?:concurrent |simultaneous |parallel |recent |api )?(?:requests|calls|queries|messages"
        r"|downloads|attempts|operations)|rate[ _-]?limit(?:s|ed|ing|er)?\b|ratelimit|request rate|throttl(?:ed"
        r"|ing|e)\b|slow ?down\b|request was denied due to request throttling|(?:request|api|usage|call|query"
        r"|crawl|search|download|sending|message|concurrency|concurrent requests?) limit(?:s)? (?:has been "
        r"|have been |was |is |were )?(?:exceeded|reached|hit)|(?:exceeded|reached|hit|over) (?:the |your |our "
        r"|its )?(?:\w+ ){0,3}(?:request|api|usage|call|query|sending|quota|concurrency"
        r"|crawl)(?: rate)?(?: limits?| quota)?\b|quota (?:has been |was |is )?(?:exceeded|exhausted|reached"
        r"|used up)|(?:exceed\w*|exhausted|over) (?:\w+ ){0,4}quota|out of (?:api )?calls|call frequency"
        r"|flood (?:wait|control)|unusual traffic|automated (?:queries|requests|traffic)"
        r"|requests? (?:are )?(?:coming )?too (?:fast|quickly|often|frequent)|too frequent"
        r"|resource has been exhausted|making (?:too many )?requests too|excessive (?:requests|usage|traffic)"
        r"|please (?:slow|back) (?:down|off)|backoff requested|abuse detection|secondary rate"
        r"|reduce your (?:request )?rate|bandwidth limit|temporarily (?:blocked|banned|limited"
        r"|restricted).{0,40}(?:requests|traffic|activity)|wait (?:of|for) \d+ seconds? is required|(?:per second"
        r"|per minute|per hour) (?:is )?over the|over the account limit|usage cap|doing that (?:a lot|too much)"
        r"|at a rate that|take a break|too fast|minimum (?:time|interval|delay) between|(?:queue|quota) (?:for"
        r"|of) your account is full|request weight|error 1015|(?:retry|repeat|resend) your request (?:after|in) \d"
        r"|(?:quota|requests?|calls|credits|limit)[_ -]remaining\W{1,3}0\b|remaining[_ -](?:quota|requests?|calls"
        r"|limit)\W{1,4}0\b"
        r"|banned until|cool(?:ing)? ?down|rejected execution|too many open connections from",
        unless=rf"{_NOT_A_RATE}|insufficient_quota|unexpected keyword|invalid (?:value|choice|rate)|must be"
        rf"|could not parse|missing (?:required )?(?:setting|config)|redirects",
        example=(
            "HTTPStatusError",
            "Client error '403 Forbidden' for url 'https://x.y/z': API rate limit exceeded for 1.2.3.4",
        ),
    ),
    Rule(
        id="rate-code",
        cls="throttled",
        sure="high",
        codes=r"ratelimit|throttl|toomanyrequests|slowdown|requestlimitexceeded|quotaexceeded|dailylimit"
        r"|userratelimit"
        r"|resourceexhausted|provisionedthroughput|bandwidthlimit|floodwait|toomanycalls|requestthrottled"
        r"|serverbusy_|esrejected|rejectedexecution|operationspersecond|limitexceededexception|concurrencylimit"
        r"|activitylimitexceeded|maximumrequests|quotareached|budgetexceeded|usagelimit|overquota"
        r"|transactioninprogress_",
        unless=rf"{_NOT_A_RATE}|larger than (?:the )?max|message .?size|field size|storage",
        example=(
            "ClientError",
            "An error occurred (ThrottlingException) when calling the PutItem operation: Rate of requests",
        ),
    ),
    # One thing that cannot be had, while others can.
    Rule(
        id="private-item",
        cls="item",
        sure="high",
        text=r"confidential|restricted to (?:its|the|their) (?:owner|author|members|staff)|private (?:video|account"
        r"|profile|playlist|repository|channel|post|item|content|track|page)|(?:video|post|account|playlist|track"
        r"|episode|item|profile|document|page|file|stream|tweet|album|article|repository) (?:is|has been set to"
        r"|was made) private|members?[- ]only|(?:only )?available (?:only )?(?:to|for) (?:members|subscribers"
        r"|premium|supporters|patrons|paying)|join this channel|subscribers?[- ]only|(?:rest|remainder"
        r"|full \w+) is (?:only )?for \w+|for (?:paying )?subscribers|paywalled|preview only|requires? (?:payment"
        r"|purchase) to (?:watch|view|access|read)|paywall|(?:to|for) premium (?:members|users)|this (?:article"
        r"|episode|content|video|post) (?:is|requires)[^.]{0,20}(?:premium|subscription|payment|locked)"
        r"|music premium",
        example=(
            "DownloadError",
            "ERROR: [youtube] abc: Private video. Sign in if you've been granted access to this video",
        ),
    ),
    Rule(
        id="age-or-place",
        cls="item",
        sure="high",
        text=r"confirm your age|age[- ]restricted|inappropriate for some users|(?:not"
        r"|n't) (?:been )?(?:made )?(?:this \w+ )?available in your (?:country|region|location|area)"
        r"|geo[- ]?(?:restrict|block)\w*|blocked (?:it )?in your country|your country"
        r"|available (?:only )?in (?:the )?(?:us|uk|certain countries)\b|drm[- ]protected|is drm\b"
        r"|known to use drm|unavailable for legal reasons",
        example=("DownloadError", "ERROR: [youtube] abc: Sign in to confirm your age. This video may be inappropriate"),
    ),
    Rule(
        id="taken-away",
        cls="item",
        sure="high",
        text=r"(?:video|post|tweet|page|article|account|channel|playlist|track|file|item|listing|document|user|stream"
        r"|recording|episode|content|submission|paper|product|album|event|object|message|media|livestream"
        r"|live event|job posting|topic|thread|resource|record|feed|podcast|image|clip|status|profile"
        r"|station)s? ?(?:that you requested |you requested |you're looking for )?(?:is|are|was|were|has been"
        r"|have been|has)? ?(?:no longer|not currently|not|been|isn't|already"
        r"|permanently)? ?(?:longer )?(?:unavailable|not available|no longer available|available anymore|removed"
        r"|deleted|taken down|terminated|suspended|withdrawn|closed|expired|retracted|archived|isn't available)\b"
        r"|no longer available|has been (?:removed|deleted|taken down|withdrawn|retracted|terminated)"
        r"|copyright (?:claim|grounds|strike|infring)|account .{0,60}(?:has been )?terminated|video unavailable"
        r"|deleted by (?:its )?(?:owner|author|the uploader|user)|user (?:not found|has been suspended)"
        r"|does not exist or (?:(?:is|has been) (?:private|removed|deleted)|you (?:do not|don't) have)"
        r"|live event (?:has ended|will begin)"
        r"|premieres in|is not (?:currently )?live|offline\b.{0,20}stream|was merged into|(?:comments?|embedding"
        r"|playback|downloads?|subtitles|captions|transcripts?|replies|reviews|discussion|voting) (?:are |is "
        r"|have been |has been )?(?:disabled|locked|closed|turned off|not enabled)|has disabled|\bdelisted\b"
        r"|\bdefunct\b|card was declined|payment was declined",
        unless=r"payment|billing|\bapi\b|model|api (?:version|endpoint)|endpoint|api key|service|server|session"
        r"|engine"
        r"|deployment|module|table|bucket|(?:your|this api|billing) (?:account|user)|database|driver|socket"
        r"|connection|file descriptor|event loop|client has been closed|closed file|handler|transport",
        example=(
            "DownloadError",
            "ERROR: [youtube] abc: Video unavailable. This video has been removed by the uploader",
        ),
    ),
    # A page where content should be, and doors that are shut for everything.
    Rule(
        id="challenge-page",
        cls="systemic",
        sure="high",
        text=r"captcha|not a (?:bot|robot)|are you (?:a )?(?:human|robot)|verify (?:that )?you(?:'re"
        r"| are) (?:a )?human"
        r"|human verification|just a moment|checking your browser|enable javascript and cookies|cf-(?:ray|chl"
        r"|mitigated)|ddos protection|cloudflare.{0,60}(?:block|challenge|denied)|attention required"
        r"|bot (?:detection|challenge|protection)|cookie consent|consent page|(?:access|request) (?:denied"
        r"|blocked).{0,40}(?:security|firewall|waf|akamai|ip)|security check|unusual activity"
        r"|(?:blocking|blocked) (?:\w+ )?(?:requests|traffic|access) from|your ip (?:address )?(?:has been|is"
        r"|was) (?:blocked|banned|blacklisted)|ip (?:is )?(?:blocked|banned)"
        r"|perimeterx|datadome|incapsula",
        unless=r"until|weight|too many|rate",
        example=("ValueError", "expected an article, got a page titled 'Just a moment...'"),
        fix="A person has to pass the check, or the source has to be read in another way.",
    ),
    Rule(
        id="login-page",
        cls="systemic",
        sure="high",
        text=r"(?:log|sign)[ -]?in (?:page|form|required|wall|screen|to (?:continue|view|access|your|see|proceed))"
        r"|(?:please|must|need to|required to|have to) (?:be )?(?:log(?:ged)?|sign(?:ed)?)[ -]?in"
        r"|login (?:is )?(?:required|needed|page|failed|form)|not (?:logged|signed) in|redirect\w* to (?:the "
        r"|a )?(?:login|sign|sso|auth)|session (?:has |is |was |cookie )?(?:expired|ended|no longer valid|invalid"
        r"|timed out)|cookies? (?:are |is |have |has )?(?:no longer valid|expired|invalid|rotated|stale|missing"
        r"|required|needed)|(?:load|read|decrypt|extract|copy|find) (?:\w+ )?cookies?|single sign-on|saml ?request"
        r"|use --cookies|captive portal|log in to",
        unless=r"if you've been granted|timeouterror",
        example=("ValueError", "the cookies are no longer valid"),
        fix="Renew the login or the cookies.",
    ),
    Rule(
        id="login-address",
        cls="systemic",
        sure="high",
        raw=r"(?:response|reply|final|effective|last)[._ ]url\W{1,5}https?://[^\s'\"]{0,150}/(?:log[-_]?in|sign[-_]?in"
        r"|sso|servicelogin)\b|<title>[^<]{0,40}(?:log ?in|sign ?in|sso)|(?:name|type)=.?password|(?:text/html"
        r"|mimetype|redirect|expecting value|<html|<!doctype|not json"
        r"|unexpected content).{0,200}(?:https?://[^\s'\"]{0,150})?/(?:users/)?(?:log[-_]?in|sign[-_]?in|sso"
        r"|oauth2?/auth\w*|accounts/login|servicelogin|auth/login|wp-login|session/new|saml|adfs)\b"
        r"|https?://(?:login|signin|sso|accounts|auth|idp)\.[^\s'\"]{0,150}.{0,200}(?:text/html|mimetype|<html"
        r"|<!doctype|expecting value)|(?:text/html|mimetype|redirect).{0,200}https?://(?:login|signin|sso|accounts"
        r"|auth|idp)\.",
        example=(
            "ContentTypeError",
            "200, message='Attempt to decode JSON with unexpected mimetype: text/html', url='https://x.io/login?next=/api'",
        ),
        fix="Renew the login or the cookies.",
    ),
)
