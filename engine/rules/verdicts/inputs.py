"""Third rank: this input is bad, while others pass."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

INPUT_TYPES: Final = (
    Rule(
        id="encoding-chosen",
        cls="code_bug",
        sure="medium",
        types=r"unicodeencodeerror",
        raw=r"'(?:ascii|charmap|latin-?1|cp\d+)' codec",
        example=(
            "UnicodeEncodeError",
            "'ascii' codec can't encode character '\\xe9' in position 3: ordinal not in range(128)",
        ),
        fix="Write it as UTF-8.",
    ),
    Rule(
        id="input-type",
        cls="item",
        sure="high",
        types=r"unicode(?:decode|encode|translate)?error|badzipfile|badgzipfile|largezipfile|pdf\w+|\w*pdf\w*(?:error"
        r"|exception)|smtp(?:senderrefused|dataerror)|carderror|packagenotfounderror|unidentifiedimageerror"
        r"|xmlsyntaxerror|parseerror|expaterror|saxparseexception|parsererror|emptydataerror|decompressionbomb\w*"
        r"|emptyfileerror|lzmaerror|decodingerror|contextwindowexceedederror|contentpolicyviolationerror"
        r"|contentfilter\w*|jsonschemavalidationerror|unprocessableentityerror|unsupportederror|geo\w*error"
        r"|unplayable\w*|videounavailable\w*|agerestricted\w*|transcriptsdisabled|notranscriptfound|membersonly\w*"
        r"|privateerror|useroffline|packageencryptederror|notreadableerror|characterencodingoverride"
        r"|nonxmlcontenttype|undeclarednamespace|xmlparseerror|invalidfileexception|badfile\w*|corrupt\w*"
        r"|malformed\w*|truncatedfile\w*|outofbounds\w*|documentnotfound\w*|objectdoesnotexist|doesnotexist"
        r"|itemnotfound\w*|nosuchkey|couldntdecodeerror|readerror_|unsupportedformat\w*|unsupportedmedia\w*"
        r"|unsupportedimage\w*|langdetectexception|\w*too(?:short|long|large|big)(?:error|exception)?"
        r"|ebcdic\w*|empty(?:document|content|response"
        r"|transcript|article|text|feed|body|page)\w*|noresult\w*|notext\w*|articleexception|nocontent\w*|linalgerror"
        r"|isencrypted\w*|encrypted\w*|wrongpassword\w*|duplicate\w*|alreadyexists\w*|gone|notfounderror_"
        r"|smtprecipientsrefused|readlimit\w*|tarerror|headererror|invalidheader\w*_|pdfreaderror|wavfile\w*"
        r"|unpackexception|extradata|unpackvalueerror|msgspecvalidationerror|schemaerror_",
        unless=r"\b5\d\d (?:server error|internal server|bad gateway|service|gateway)",
        example=("UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ),
)
"""Types that say that an input is bad; as sure as an error number."""

INPUTS: Final = (
    Rule(
        id="input-error",
        cls="item",
        sure="medium",
        types=r"zlib\.error|error|binascii.error|struct.error|csv.error|wave.error",
        text=r"incorrect (?:padding|data check|header check)|invalid (?:stored block|distance|compressed|bit length"
        r"|block|base64)|error -[35]|line contains nul|field larger than|unpack requires|file does not start with"
        r"|unknown (?:compression|format)|invalid load key|not a whole number of|non-hexadecimal|odd-length"
        r"|number of data characters|too large",
        example=("zlib.error", "Error -3 while decompressing data: incorrect header check"),
    ),
    Rule(
        id="input-damaged",
        cls="item",
        sure="high",
        text=r"(?:could not|couldn't|cannot|unable to|failed to) (?:unpack|decompress|unzip|inflate)\b"
        r"|(?:unable to|failed to|can ?not|can't|could not|couldn't) (?:process|decode|read|parse|open|load"
        r"|convert) (?:the )?(?:input |uploaded "
        r"|source )?(?:image|file|document|audio|video|pdf|media|page)|illegal status line|has (?:0|no"
        r"|zero) (?:entries|items|pages|rows|results|segments|articles|words|text)|(?:pages|words|characters"
        r"|minutes|rows|items|mb|bytes|seconds|hours), (?:the )?(?:limit|maximum|max)|cannot identify image"
        r"|not a (?:zip|gzip(?:ped)?|pdf|valid (?:\w+ )?(?:pdf|zip|image|xml|json|url|video|feed|file|document"
        r"|archive|date|email|isbn|doi|isin|ticker|symbol|cik|html))\b|(?:image|file|archive|document|pdf|video"
        r"|audio|stream|data|zip|xml|feed|page|jpeg|png|header|input|message|record) (?:file )?(?:is "
        r"|appears to be |seems |was |may be |looks )?(?:truncated|corrupt(?:ed)?|damaged|malformed|empty"
        r"|encrypted|broken|invalid|unreadable|password[- ]protected|too (?:large|big|long|short|small))"
        r"|(?:truncated|corrupt(?:ed)?|damaged|malformed|encrypted|broken|empty|unreadable|undecodable|garbled"
        r"|password[- ]protected) (?:\w+ )?(?:image|file|archive|document|pdf|video|audio|stream|data|zip|xml|feed"
        r"|page|jpeg|png|input|content|body|text|html|transcript|record|json|csv)|moov atom not found"
        r"|invalid data found when processing|eof marker not found|stream has ended unexpectedly|not well-formed"
        r"|mismatched tag|junk after document|undefined entity|no element found|syntax error: line"
        r"|premature end of (?:data|file)|start tag expected|bad magic|magic number|crc[ -]?(?:32)? ?(?:check"
        r"|error|mismatch|fail)|check ?(?:sum|digit) (?:is )?(?:mismatch|error|fail|wrong|invalid|incorrect|bad)"
        r"|(?:wrong|invalid|incorrect|bad) check ?(?:sum|digit)|unexpected end of (?:data|file|archive)"
        r"|could not be opened successfully|end[- ]of[- ]stream marker"
        r"|unterminated string starting|extra data: line|expecting (?:property name|quoted? delimiter"
        r"|',' delimiter|':' delimiter)|invalid (?:\\\\)?control character|invalid \\\\?escape"
        r"|does not contain any stream|no (?:\w+ )?(?:audio|video|text|subtitles?|captions?|transcript|content"
        r"|extractable text|article (?:body|text)|body|speech|readable|main content|entries|items|results?|data"
        r"|pages|tables?|author|title|date)s? (?:stream |track |layer |tracks |streams )?(?:was |were |could be "
        r"|is |are )?(?:found|available|detected|extracted|present|in the)|password (?:is )?required"
        r"|file has not been decrypted|could not (?:decode|parse|extract|read|identify|detect|convert"
        r"|determine (?:the )?(?:date|language|encoding|file type)) (?:\w+ ){0,3}(?:from|image|date|document|page"
        r"|html|file|audio|video|title|content|text|frame|header|article|json|feed|language|price|value|number"
        r"|input|string)?|unsupported (?:url|format|file|image|media|codec|mime|content[- ]type|document|language"
        r"|encoding|compression|pixel|audio|video|color|feature|filter|extension|charset|archive|scheme)"
        r"|(?:maximum|max) (?:\w+ )?(?:payload|size|length) (?:is |was |has been )?exceeded|codec can't (?:decode"
        r"|encode)|decompression bomb|size exceeds|exceeds? (?:the )?(?:maximum |max "
        r"|allowed |file |size |upload |configured )*(?:size|length|limit|dimension|duration|of \d+)|too large"
        r"|too big|larger than|file ?name too long|maximum (?:file |upload |allowed |document |message "
        r"|body )?size|subtitles are disabled|transcripts? (?:is |are )?disabled|requested format is not available"
        r"|no video formats|is not a valid url|unknown url type|no scheme supplied|invalid url|no host (?:supplied"
        r"|given|specified)|incomplete \w+ id|unsupported protocol|missing an? quoted or|missing an? 'http"
        r"|bad (?:feed|xml|zip|pdf|image)|bozo|empty (?:response|result|reply)|not a feed|invalid (?:isin|doi|isbn"
        r"|ticker|symbol|email|date|iban|cik|ein)|label empty or too long|empty label|codepoint"
        r"|maximum recursion depth exceeded while (?:decoding|parsing|traversing)|too (?:deeply )?nested"
        r"|nesting (?:too deep|level)|cannot reshape|cannot convert float nan|division by zero in (?:price|row)"
        r"|image size|pixels|format is (?:invalid|not supported|unsupported)|without (?:a |any )?(?:text"
        r"|transcript|captions|audio|title|body)|text layer|image[- ]only|over the .{0,14}(?:maximum|limit)"
        r"|\d ?[kmg]i?b\b.{0,30}(?:limit|maximum|\bmax\b|allowed)",
        unless=r"unexpected keyword|positional argument|object is not|empty model|api version|from (?:the )?model"
        r"|template|config|settings|yaml\.(?:scanner|parser)",
        example=("RuntimeError", "PDF file is encrypted and no password was given"),
    ),
    Rule(
        id="input-value",
        cls="item",
        sure="medium",
        text=r"invalid literal for int|could not convert string to float|time data .{0,200}does not match format"
        r"|unknown string format|isoformat string|does not match format|unconverted data remains|invalid (?:date"
        r"|time|month|day|year|url|email|port|ipv[46]|uuid|base64|hex|boolean|ip address|number|currency|country"
        r"|postal|latitude)|month must be in|day is out of range|year \d* ?is out of range|hour must be in"
        r"|is not a valid (?:phone|postal|zip|number|integer|float|uuid|value|name|address|code|uri)\b"
        r"|badly formed hexadecimal|cannot parse|string does not contain a date"
        r"|is not in the subpath"
        r"|embedded null|not a number|cannot convert (?:string|float|quoted)|no (?:match\b|json object)"
        r"|nothing to (?:parse|transcribe|summari[sz]e|extract|translate|embed|convert)|could not be parsed"
        r"|can't parse|failed to parse|does not appear to be an ipv"
        r"|out of bounds nanosecond|validation errors? for|failed validation|schema validation|does not validate"
        r"|field required|extra inputs are not permitted|(?:required|mandatory) (?:field|property|column)"
        r"|is a required property|is not valid under any|is not of type|missing (?:required )?(?:field|column"
        r"|property|attribute|section)s?\b|decimal\.|conversionsyntax|unknown (?:currency|country|language|ticker"
        r"|symbol|locale|exchange)|validation failed",
        unless=r"settings|config|self\.|positional|keyword argument|\bour\b",
        example=("ValueError", "invalid literal for int() with base 10: 'n/a'"),
    ),
    Rule(
        id="input-validation",
        cls="item",
        sure="medium",
        types=r"\w*validationerror|decimalexception|invalidoperation|conversionsyntax|\w*decodeerror"
        r"|\w*parse(?:r)?error"
        r"|\w*parsingerror|\w*formaterror|\w*syntaxerror_|\w*conversionerror|scannererror|composererror|nodata\w*"
        r"|\w*contenterror"
        r"|\w*extractionerror",
        unless=r"config|settings|template",
        example=("pydantic_core.ValidationError", "bad"),
    ),
    Rule(
        id="template-gone",
        cls="code_bug",
        sure="medium",
        errno=(2,),
        raw=r"template|\.j2['\"]|\.jinja2?['\"]|\.sql['\"]|prompts?/",
        example=("FileNotFoundError", "[Errno 2] No such file or directory: 'templates/summary.j2'"),
        fix="Put the file where the code looks for it.",
    ),
    Rule(
        id="file-gone",
        cls="item",
        sure="medium",
        errno=(2, 20, 21, 36, 40, 27, 63),
        unless_raw=r"\.(?:ya?ml|toml|ini|env|cfg|conf|pem|crt|key)['\"]|config|credential|model(?:s/|\.bin)|/mnt/"
        r"|/media/"
        r"|/etc/|/usr/|/opt/|/run/|/var/run|template",
        example=("FileNotFoundError", "[Errno 2] No such file or directory: '/data/inbox/report-17.pdf'"),
    ),
    Rule(
        id="file-of-system-gone",
        cls="systemic",
        sure="medium",
        errno=(2, 20),
        unless_raw=r"template",
        example=("FileNotFoundError", "[Errno 2] No such file or directory: '/etc/rivus/cookies.toml'"),
        fix="Put the file in its place.",
    ),
)
