"""Second rank: the machine, its network, its programs and packages."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

_LOCAL: Final = (
    r"localhost|127\.0\.0\.1|\[?::1\]?|\b10\.\d{1,3}\.\d{1,3}\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\."
    r"|\.internal\b|\.local\b|\.svc\b|is the server running|server api version|unix:|\.sock|docker daemon"
    r"|kafka|rabbitmq|broker|redis|postgres|mysql|mongo|elasticsearch|database|ollama|\bport\b(?!=)"
)

_OWN_MODULE: Final = (
    r"no module named '(?:plugins|engine|rivus_tui|app|src|handlers|jobs|lib|tests|pipelines|helpers|utils"
    r"|common|core|models|config|settings|project|my\w+|our\w+)(?:[.\w]*)'"
)

MACHINE: Final = (
    Rule(
        id="program-missing",
        cls="systemic",
        sure="high",
        text=r"cannot find (?:module|package)|command not found|(?:supported|suitable|no) javascript runtime|(?:cannot"
        r"|could not|couldn't|unable to) (?:find|locate) (?:the |a )?(?:\w+ )?(?:binary|executable|driver"
        r"|interpreter|runtime|library|program|package)\b|not found in (?:the )?(?:\$?path|system path)|(?:is "
        r"|be )?(?:not )?(?:installed|in) (?:and|or) (?:it's not )?(?:in|on) (?:your |the )?path|is \S+ installed"
        r"|(?:ffmpeg|ffprobe|tesseract|poppler|node|deno|java|git|pandoc|chrom\w+|geckodriver|wkhtmltopdf"
        r"|libreoffice|ghostscript|imagemagick)\b(?! version).{0,40}(?:not found|not installed|could not be found"
        r"|is required"
        r"|missing)|executable (?:doesn't exist|file not found|not found)|playwright install|looks like playwright"
        r"|no (?:supported )?javascript runtime|not recognized as an internal or external command"
        r"|could not find (?:a )?(?:chrome|firefox|browser|driver|the binary|executable)|unable to obtain driver"
        r"|only supports chrome version|session not created|not found: (?:ffmpeg|node)|unknown (?:encoder|decoder)"
        r"|(?:need|have) to install|no solution found|requirements .{0,30}unsatisfiable|resolutionimpossible"
        r"|version solving failed"
        r"|please install|pip install|apt(?:-get)? install|brew install|is not installed"
        r"|not installed on|missing (?:optional )?dependenc(?:y|ies)|nltk\.download|nltk downloader|spacy download"
        r"|can't find model|install the|requires (?:sqlite|python|node\w*|glibc|ffmpeg|java|cuda"
        r"|version) ?(?:version )?[>=v]*\d|requires .{0,30}\d or (?:higher|newer|later)|error opening data file"
        r"|no matching distribution|(?:find|satisf\w+) .{0,20}(?:version|requirement)s? that satisf|eresolve|etarget"
        r"|(?:unable|failed) to resolve dependenc|is the driver installed|couldn't find (?:ffmpeg|ffprobe|chrome"
        r"|java|any)",
        unless=r"pluginnotfound_",
        example=(
            "DownloadError",
            "ERROR: Postprocessing: ffprobe and ffmpeg not found. Please install or provide the path",
        ),
        fix="Install the program.",
    ),
    Rule(
        id="program-missing-file",
        cls="systemic",
        sure="high",
        types=r"filenotfounderror|oserror|ioerror",
        raw=r"no such file or directory: (?:b?['\"])(?:[\w.+-]+|/(?:usr/)?(?:local/)?s?bin/[^'\"]+)['\"]$",
        source=r"subprocess|popen|execute_child|_posixsubprocess|create_subprocess|child_exec|child_exception",
        example=(
            "FileNotFoundError",
            "[Errno 2] No such file or directory: 'scan2text'",
            '  File "/usr/lib/python3.11/subprocess.py", line 1955, in _execute_child\n'
            "    raise child_exception_type(errno_num, err_msg)\n",
        ),
        fix="Install the program.",
    ),
    Rule(
        id="program-missing-name",
        cls="systemic",
        sure="high",
        types=r"filenotfounderror",
        raw=r"no such file or directory: (?:b?['\"])(?:ffmpeg|ffprobe|git|yt-dlp|pdftotext|pdftoppm|tesseract|node"
        r"|deno|npm|npx|pandoc|java|convert|magick|soffice|libreoffice|curl|wget|jq|rg|docker|kubectl|aws|gcloud"
        r"|claude|psql|pg_dump|sqlite3|whisper|sox|exiftool|gs|qpdf|mutool|wkhtmltopdf|chrom\w+|google-chrome"
        r"|firefox|geckodriver|chromedriver|ollama|make|gcc|unzip|tar|7z|rsync|ssh|scp|lynx|w3m|antiword|catdoc"
        r"|python3?|pip3?|uv)['\"]",
        example=("FileNotFoundError", "[Errno 2] No such file or directory: 'ffmpeg'"),
        fix="Install the program.",
    ),
    Rule(
        id="program-exit",
        cls="systemic",
        sure="high",
        exits=r"12[67]",
        example=("subprocess.CalledProcessError", "Command '['whisper', 'a.wav']' returned non-zero exit status 127."),
        fix="Install the program, or make it executable.",
    ),
    Rule(
        id="library-missing",
        cls="systemic",
        sure="high",
        text=r"cannot open shared object file|undefined symbol|glibc\w* quoted not found|version quoted not found"
        r"|dll load failed|symbol not found|exec format error|wrong elf class|incompatible architecture"
        r"|no kernel image|cuda (?:driver|is not available|error|initialization|out of memory|runtime)"
        r"|no cuda gpus|nvidia driver|libcu\w+|binary incompatibility|compiled using numpy|illegal instruction"
        r"|(?:compiled|built) (?:by|with|for|against) an? (?:more recent|newer|older|different) version"
        r"|(?:can't|cannot|could not|unable to|failed to) (?:load|import) (?:\w+ )?(?:plugin|module|driver|extension)\b"
        r"|(?:server|client|protocol|library|abi|driver) version mismatch|unsupported locale|libmagic"
        r"|failed to (?:load|find) (?:the )?(?:shared )?library|unable to load (?:the )?library",
        example=("ImportError", "libGL.so.1: cannot open shared object file: No such file or directory"),
        fix="Install the library.",
    ),
    Rule(
        id="import-own",
        cls="code_bug",
        sure="high",
        types=r"modulenotfounderror|importerror",
        raw=rf"{_OWN_MODULE}|cannot import name"
        r"|attempted relative import|circular import|is not a package|partially initialized",
        example=("ImportError", "cannot import name 'parse_feed' from 'plugins.sources.feeds'"),
        fix="Mend the import.",
    ),
    Rule(
        id="package-missing",
        cls="systemic",
        sure="high",
        types=r"modulenotfounderror|packagenotfounderror|distributionnotfound|importerror|versionconflict"
        r"|contextualversionconflict|missingdependency\w*|dependencyerror|optionaldependency\w*",
        unless=r"package not found at",
        example=("ModuleNotFoundError", "No module named 'lxml'"),
        fix="Install the package.",
    ),
    Rule(
        id="package-missing-said",
        cls="systemic",
        sure="high",
        text=r"no module named",
        unless_raw=_OWN_MODULE,
        example=("RuntimeError", "could not start the reader: No module named 'lxml'"),
        fix="Install the package.",
    ),
    Rule(
        id="resources-short",
        cls="systemic",
        sure="medium",
        text=r"cannot allocate memory|can't start new thread|too many open files|out of memory|oom[- ]?kill"
        r"|outofmemory|heap (?:space|limit)|gc overhead|bad_alloc|memory (?:limit.{0,12} exceeded|exhausted)"
        r"|no child processes|address already in use|no buffer space|bus error|cannot fork"
        r"|unable to allocate|user limit of inotify",
        unless=r"oom command|image|too large",
        example=("RuntimeError", "can't start new thread"),
        fix="Give the process more of what ran out, or lower the concurrency.",
    ),
    Rule(
        id="errno-name",
        cls="systemic",
        sure="high",
        codes=r"^(?:enospc|edquot|erofs|emfile|enfile|enomem|eaddrinuse|enodev)$",
        example=("BuildError", "npm error code ENOSPC"),
        fix="Mend what the operating system names.",
    ),
    Rule(
        id="told-to-end",
        cls="transient",
        sure="low",
        text=r"\bsignal:? \(?(?:15|2|1|sigterm|sigint|sighup)\b|(?:received|caught|got|by|on|with) sig(?:term|int"
        r"|hup)\b",
        example=("RenderError", "exiting, received signal 15"),
    ),
    Rule(
        id="worker-died",
        cls="systemic",
        sure="low",
        types=r"brokenprocesspool|brokenexecutor|terminatedworkererror|workerlosterror",
        example=("BrokenProcessPool", "A process in the process pool was terminated abruptly"),
        fix="Look whether memory ran out.",
    ),
    Rule(
        id="errno-systemic",
        cls="systemic",
        sure="high",
        errno=(1, 5, 8, 99, 12, 13, 19, 23, 24, 28, 30, 98, 117, 122, 10013, 10048, 48),
        unless=r"invalid argument|image|broken document|connect call failed",
        example=("OSError", "[Errno 19] No such device"),
        fix="Mend what the operating system names.",
    ),
    Rule(
        id="errno-type",
        cls="systemic",
        sure="medium",
        types=r"permissionerror",
        example=("PermissionError", "not permitted"),
        fix="Grant the right.",
    ),
    Rule(
        id="refused-local",
        cls="systemic",
        sure="medium",
        text=r"connection is bad|is the server running|connection refused|actively refused|connect call failed"
        r"|econnrefused|err_connection_refused|cannot connect to (?:the )?(?:docker|broker|redis|host|database)"
        r"|can't connect to (?:local )?(?:mysql|server)|couldn't connect to server|could not connect to (?:server"
        r"|redis|the broker|database)|failed to connect to (?:localhost|127)|\[errno 111\]|\[errno 61\]"
        r"|connect: no such file or directory|nobrokersavailable|all connection attempts failed"
        r"|filenotfounderror\(2|server api version",
        raw=_LOCAL,
        unless=r"timed out|timeout|reset by peer|\[errno 1(?:04|10|13|01)\]|name or service|temporary failure",
        example=(
            "psycopg.OperationalError",
            'connection failed: connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        ),
        fix="Start the service that is asked.",
    ),
    Rule(
        id="address-of-input",
        cls="item",
        sure="medium",
        types=r"invalidurl\w*|unsupportedprotocol|missingschema|invalidschema|nonhttpurl\w*|locationparseerror"
        r"|locationvalueerror|toomanyredirects|nonhttpurlredirect\w*|idnaerror|unsupportedurl\w*"
        r"|redirectclienterror|invalidurlclienterror",
        unless=r"base_url|api_base",
        example=("httpx.UnsupportedProtocol", "Request URL is missing an 'http://' or 'https://' protocol."),
    ),
    Rule(
        id="connection-lost",
        cls="transient",
        sure="high",
        text=r"\bno (?:responders|consumers|workers|replicas|brokers|nodes|hosts|backends|servers?"
        r"|instances?) (?:are |is )?"
        r"(?:\w+ )?(?:available|reachable|online|ready|alive|responding)|\blag\b.{0,20}(?:too high|exceed)"
        r"|catching up|lagging behind|connection (?:was )?(?:reset|aborted|closed|lost|dropped|broken|interrupted"
        r"|terminated|error|timed|timeout|refused|failed)|reset by peer|broken pipe|remote end closed"
        r"|server disconnected|disconnected without|peer closed|incomplete (?:read|chunked|message|body)"
        r"|payload is not completed|unexpected(?:ly)? (?:eof|closed|end of (?:stream|connection))"
        r"|eof occurred in violation|premature(?:ly)? (?:close|end)|network is (?:unreachable|down)"
        r"|no route to host|host is (?:down|unreachable)|socket hang up|stream (?:was )?(?:reset|closed|error"
        r"|terminated)|goaway|early eof|rpc failed|transport (?:endpoint|error|closed|closing)|network (?:error"
        r"|changed|failure|unreachable|connection)|err_connection|err_network|err_internet_disconnected"
        r"|err_empty_response|err_http2|remote host closed|chunked encoding|connection to (?:\S+ ){1,4}?(?:was "
        r"|has been )?(?:lost|closed|refused|reset)|unable to connect\b|all connection attempts failed"
        r"|connect call failed|actively refused"
        r"|could not connect|failed to establish a new connection|bytes read, \d+ more expected"
        r"|bytes read on a total|tls connection was non-properly|ssl.{0,25}(?:eof|record layer)"
        r"|bad[ _]record[ _]mac"
        r"|did not get any data blocks|truncated response|target (?:page|closed)|browser has (?:been closed"
        r"|disconnected)|page crashed|websocket.{0,30}(?:closed|dropped|close frame)|no close frame received"
        r"|keepalive ping timeout|err_quic|unreachable|(?:stream|response|connection|body|transfer"
        r"|download) (?:ended|stopped|cut off|terminated|finished) (?:before|prematurely|unexpectedly|early)"
        r"|lost contact|ssh protocol banner|kex_exchange|banner exchange|heartbeat (?:lost|timeout)",
        unless=r"client has been closed|session is closed|invalid literal|event loop",
        example=("aiohttp.ServerDisconnectedError", "Server disconnected"),
    ),
    Rule(
        id="timeout",
        cls="transient",
        sure="high",
        types=r"\w*timeout(?:error|exception|expired|exceeded)?\w*|deadlineexceeded\w*|timelimitexceeded|endtimeout"
        r"|timedout\w*",
        unless=r"must be|invalid|unexpected keyword",
        example=("subprocess.TimeoutExpired", ""),
    ),
    Rule(
        id="errno-transient",
        cls="transient",
        sure="high",
        errno=(
            -3,
            4,
            11,
            16,
            26,
            32,
            100,
            101,
            103,
            104,
            107,
            108,
            110,
            111,
            112,
            113,
            116,
            35,
            54,
            60,
            61,
            64,
            65,
            10035,
            10053,
            10054,
            10060,
            10061,
            10065,
            121,
            6,
            7,
            56,
            28000,
        ),
        example=("aiohttp.ClientOSError", "[Errno 104] gone"),
    ),
    Rule(
        id="connection-type",
        cls="transient",
        sure="medium",
        types=r"connection(?:reset|aborted|refused)?error|brokenpipeerror|incompleteread\w*|(?:read|write|connect"
        r"|network|transport|protocol|remoteprotocol)error|remotedisconnected|server(?:disconnected|connection"
        r"|timeout)\w*|client(?:connector|payload|os|connection)\w*|clientconnectionreset\w*|chunkedencodingerror"
        r"|apiconnectionerror|endpointconnectionerror|connectionclosed\w*|httpclienterror|interruptederror"
        r"|blockingioerror|serviceunavailable\w*|badgateway\w*|gatewaytimeout\w*|internalserver\w*|overloadederror"
        r"|smtpserverdisconnected|smtpconnecterror|streamclosed\w*|streamreset|apierror_|maxretryerror"
        r"|newconnectionerror|temporarye\w+|transient\w*|retryable\w*|unavailable(?:error|exception)?"
        r"|cancellederror|websocketexception|connectionclosederror|disconnected\w*|servererror"
        r"|servernotavailable\w*|nobrokersavailable",
        unless=r"unsupported|illegal|invalid (?:header|method|url)|unexpected end of data|opened successfully"
        r"|(?:bad|empty|truncated|invalid|missing) (?:header|checksum|file)|not a \w+ file",
        example=("httpx.ReadError", ""),
    ),
)
