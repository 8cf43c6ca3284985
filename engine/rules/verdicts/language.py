"""Last rank: types that say little, and misuse of the language and its libraries."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

PLAIN_MISUSE: Final = (
    Rule(
        id="misuse-of-loop",
        cls="code_bug",
        sure="high",
        text=r"invalid input of type|\bof type:? <class|cannot encode object|different (?:event )?loop"
        r"|another loop is running|returned (?:an? )?\w+, expected (?:an? )?\w+"
        r"|expected an? (?:dict|list|str|int|mapping|sequence|tuple|dataclass|callable)\b"
        r"|with an asyncclient instance|with a (?:sync )?client instance|instantiate abstract class"
        r"|lock is not acquired|serialize unknown type|compile error|\bsyntax error, unexpected"
        r"|event loop is (?:closed|already running)|no (?:running|current) event loop|from a running event loop"
        r"|inside a task|never awaited|in quoted expression|connector is closed|session is closed"
        r"|client has been closed|invalid type for (?:url|argument)|without having called|already been (?:consumed"
        r"|streamed|read)|too (?:much|little) data for declared|cannot reuse already|missing from-clause"
        r"|await expression",
        example=("RuntimeError", "<asyncio.locks.Lock object at 0x7f [locked]> is bound to a different event loop"),
        fix="Mend the handler or what it calls.",
    ),
)
"""Misuse that no word from outside can be mistaken for."""

MISUSE: Final = (
    Rule(
        id="misuse",
        cls="code_bug",
        sure="high",
        text=r"unexpected keyword argument|positional arguments?\b|missing \d+ required|object is not (?:callable"
        r"|subscriptable|iterable|an iterator|json serializable)|not json serializable|has no attribute"
        r"|object of type \S+ has no len|unsupported operand|must be (?:str|int|bytes|a string|real number|a str"
        r"|called|an instance|awaited|used)|can only concatenate|not supported between|event loop is (?:closed"
        r"|already running)|already running|no running event loop|attached to a different loop|was never awaited"
        r"|can't be used in .?await|invalid state|generator already executing|generator (?:raised|didn't)"
        r"|coroutine|cannot reuse already awaited|client has been closed|session is closed|i/o operation on closed"
        r"|closed file|dictionary changed size|changed size during iteration|local variable"
        r"|referenced before assignment|is not defined|cannot access local|unhashable type|cannot pickle"
        r"|can't pickle|maximum recursion depth|list index out of range|index out of range|pop from (?:an )?empty"
        r"|not enough values to unpack|too many values to unpack|divi(?:sion|de) by zero|modulo by zero"
        r"|not implemented|abstract (?:class|method)|invalid syntax|unindent|not enough arguments for format"
        r"|not all arguments converted during|truth value of|(?:length|shape|dimension) mismatch|size mismatch for"
        r"|dimension \S+ does not match|could not be broadcast|inhomogeneous shape|on the same device"
        r"|shapes? .{0,60}(?:not aligned|cannot be multiplied|incompatible|must match|do not match)"
        r"|expected scalar type|size of tensor"
        r"|can't set attribute|cannot set|read-only attribute|is a required argument"
        r"|timeout context manager should be used|expected (?:str|bytes|an? \w+ (?:object|instance)).{0,40}(?:not"
        r"|got|found)|a bytes-like object is required|cannot be called from|bad file descriptor"
        r"|cannot read propert(?:y|ies) of|undefined is not|is not a (?:function|constructor)\b"
        r"|circular reference detected|invalid cross-device|cannot send a request|attempted to (?:read|access|call)"
        r"|streamconsumed"
        r"|without having called|pydantic\.errors|not fully defined|no validator|non-annotated|must be of type"
        r"|unknown parameter|parameter validation failed|invalid type for parameter|invalid (?:mode|regex"
        r"|regular expression)|nothing to repeat|bad escape|missing \), unterminated|unterminated subpattern"
        r"|wrong type|cannot mix|naive and .{0,10}aware|unsupported parameter"
        r"|(?:unrecogni[sz]ed|unknown) (?:request )?(?:argument|field|parameter|option|name|flag|switch)"
        r"|option not found"
        r"|extra fields|does not support parameters"
        r"|cannot query field|set changed size|no default|unexpected indent|second argument|already awaited"
        r"|got multiple values|takes no|bound method|loop argument|unclosed|replacement index|invalid (?:timeout"
        r"|mode|argument|option|parameter|keyword|log level|chunk size|buffer|format string|type for|usage|call)"
        r"|must be (?:a )?(?:positive|non-negative|greater|between|one of|less)|is not a valid (?:parameter"
        r"|argument|option|keyword)",
        unless=r"while (?:decoding|parsing)|'nonetype' object is not_|pdf",
        example=("TypeError", "fetch() got an unexpected keyword argument 'timeot'"),
        fix="Mend the handler or what it calls.",
    ),
    Rule(
        id="pattern-wrong",
        cls="code_bug",
        sure="high",
        types=r"error|patternerror",
        text=r"(?:nothing to repeat|(?:multiple|min) repeat|unterminated (?:character|subpattern)"
        r"|unbalanced parenthesis"
        r"|bad (?:escape|character range|inline)|unknown extension|end of pattern|invalid group|redefinition of group"
        r"|global flags|missing \S{1,12}).{0,80}at position \d",
        example=("re.error", "multiple repeat at position 7"),
        fix="Mend the regular expression.",
    ),
    Rule(
        id="build-broken",
        cls="code_bug",
        sure="medium",
        text=r"could not compile|compilation (?:failed|error|aborted)|undefined reference to|no rule to make target"
        r"|\.(?:c|cc|cpp|h|go|rs|java|kt|tsx?|swift)[:(]\d+[:,]\d+\)?: (?:undefined|error|fatal error)"
        r"|error\[e\d+\]:|(?:lock ?file|lock\.\w+).{0,80}(?:in sync|out[- ]of[- ](?:sync|date)|not up[- ]to[- ]date"
        r"|needs to be updated)",
        example=("BuildError", "the lockfile is out of date and --locked was passed"),
        fix="Mend what is built.",
    ),
)

NAMES: Final = (
    Rule(
        id="misuse-type",
        cls="code_bug",
        sure="medium",
        types=r"keyerror|attributeerror|typeerror|nameerror|unboundlocalerror|indexerror|assertionerror"
        r"|notimplementederror|zerodivisionerror|recursionerror|syntaxerror|indentationerror|taberror"
        r"|stopiteration|stopasynciteration|invalidstateerror|template\w*|undefinederror|pydantic(?:user"
        r"|undefinedannotation|schemageneration|import\w*)\w*|localprotocolerror|streamconsumed|responsenotread"
        r"|requestnotread|cookieconflict|unsupportedparamserror|badrequesterror|invalidrequesterror"
        r"|methodnotallowed\w*|runtimewarning|deprecationwarning|resourcewarning|overflowerror|floatingpointerror"
        r"|buffererror|referenceerror|systemerror|lookuperror|selectorsyntaxerror|invalidselector\w*|xpath\w*error"
        r"|badresult|ambiguous\w*|re\.error|patternerror|environmenterror_|frozeninstanceerror|queueempty"
        r"|queuefull|brokenbarriererror|multipleinvalid|unsupportedoperation|interfaceerror",
        unless=r"settings|config",
        example=("KeyError", "'sections'"),
        fix="Mend the handler or what it calls.",
    ),
    Rule(
        id="killed",
        cls="transient",
        sure="low",
        exits=r"-(?:15|2|1)|143|130|sigterm|sigint|sighup",
        example=("CalledProcessError", "Command '['worker']' died with <Signals.SIGTERM: 15>."),
    ),
    Rule(
        id="killed-for-memory",
        cls="systemic",
        sure="low",
        exits=r"-9|137|sigkill",
        example=("CalledProcessError", "Command '['worker']' died with <Signals.SIGKILL: 9>."),
        fix="Look whether memory ran out.",
    ),
    Rule(
        id="crashed",
        cls="item",
        sure="low",
        exits=r"-(?:11|6|8|4|7)|139|134|136|sigsegv|sigabrt|sigfpe|sigill|sigbus",
        example=("CalledProcessError", "Command '['ffmpeg', '-i', 'a.mkv']' died with <Signals.SIGSEGV: 11>."),
    ),
    Rule(
        id="memory",
        cls="systemic",
        sure="low",
        types=r"memoryerror|outofmemory\w*",
        example=("MemoryError", ""),
        fix="Give the process more memory, or lower the concurrency.",
    ),
    Rule(
        id="not-found-words",
        cls="item",
        sure="low",
        text=r"\b(?:(?:does|do) not have (?:an?|any)|lists no|has no (?:\w+ )?(?:captions|subtitles|audio|transcript"
        r"|title|author|date|price|body|text|content|items|entries|pages|works|results)|is silent|unknown format"
        r"|not found|does not exist|doesn't exist|no such|cannot be found|could not be found|unavailable"
        r"|nothing (?:was )?found|is missing|invalid|empty|unsupported|too (?:short|long|small|few)|unreadable"
        r"|malformed|duplicate|already exists|skipped|not supported|unexpected (?:format|content|value|type|token)"
        r"|no (?:text|content|body|title|results?|data|matches)|no (?:\w+ )?(?:company|user|person|customer|order"
        r"|record"
        r"|row|item|document|filing|article|video|page|entry|price|quote|symbol|ticker|event|listing|product|transcript"
        r"|post|paper|issue|repository|account) (?:with|for|matching|named|called))\b",
        unless=r"config|setting|environment|template|attribute|plugin|handler|method|argument|parameter|table|column"
        r"|binary|command|driver|service|server|state\b|usage:|option|\bflag|value for|choice",
        example=("LookupError_", "nothing found for this ticker"),
    ),
    Rule(
        id="name-item",
        cls="item",
        sure="low",
        codes=r"(?:video|article|item|file|page|document|content|media|image|audio|post|user|channel|object|record"
        r"|entry"
        r"|feed|transcript|symbol|ticker|paper|row|message)(?:not|un|is|was|has|too|dele|priv|miss|empt|lock|clos"
        r"|remov|gone|invalid)|paywall|malformed|corrupt|truncated|unsupported(?!param|oper)|toolarge|toolong"
        r"|toobig|tooshort|toosmall|undecodable|unparseable|unreadable|encrypted|wrongpassword|notfound"
        r"|missingfield|emptyresult|duplicate|deleted|private|embargo|threadlocked|invalid(?:data|input|file|image"
        r"|url|document|format|content|date|value|media|isin|symbol)",
        unless=r"config|setting|environment|template|plugin|handler|driver|binary|command",
        example=("shop.errors.ArticleDeleted", "17"),
    ),
    Rule(
        id="name-transient",
        cls="transient",
        sure="low",
        codes=r"notavailable|unavailable|busy|notready|temporar|retry|unreachable|disconnect|connectionreset|aborted"
        r"|timeout|timedout|overload|connectionlost|connectionerror|connectfail|networkfail|again$|interrupted"
        r"|stale|notleader|leader|outage|brokenpipe|handshake|serverfault|upstream",
        example=("queue.errors.LeaderNotAvailableError", "[Error 5]"),
    ),
    Rule(
        id="name-systemic",
        cls="systemic",
        sure="low",
        codes=r"notinstalled|missing(?:dependency|binary|executable|config|setting|secret|key)|notconfigured"
        r"|config(?:uration)?(?:error|exception|missing|invalid)|improperly|auth|credential|permission|forbidden"
        r"|login|accessdenied|notallowed|license|subscription|suspended|banned|deprecated|retired|sunset|migration"
        r"|environment|setupproblem|hostkey",
        unless=r"author\b",
        example=("shop.errors.MissingBinary", "x"),
        fix="Mend what the error names; then resume the job.",
    ),
    Rule(
        id="transient-type",
        cls="transient",
        sure="low",
        types=r"apierror|apistatuserror|operationalerror|urlerror|requestexception|clienterror|httperror|requesterror"
        r"|transporterror|gaierror|herror|networkerror|oserror_|rpcerror|serviceexception|httpexception"
        r"|badstatusline|downloaderror_",
        example=("requests.exceptions.RequestException", "it failed"),
    ),
)

EXITS: Final = (
    Rule(
        id="program-failed",
        cls="item",
        sure="low",
        exits=r"1|3|4|5|255",
        example=("CalledProcessError", "Command '['convert']' returned non-zero exit status 1."),
    ),
    Rule(
        id="usage",
        cls="code_bug",
        sure="medium",
        exits=r"2|64",
        example=("CalledProcessError", "Command '['grep']' returned non-zero exit status 2."),
        fix="Mend how the command is called.",
    ),
)
"""What the exit of a command says, when nothing that it printed says more."""
