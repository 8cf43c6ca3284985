"""Second rank: credentials, rights, names and certificates, and services that are not what they were."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

_TIMED: Final = r"tim(?:ed|e)[ -]?out"

DOORS: Final = (
    Rule(
        id="certificate",
        cls="systemic",
        sure="high",
        text=r"certificate[ _]verify[ _]failed|certificate (?:has expired|is not (?:yet )?valid|expired|verification"
        r"|signed by unknown|required|error|unknown|revoked)|self[- ]signed certificate"
        r"|unable to get (?:local )?issuer|hostname mismatch|doesn't match (?:either of|the)"
        r"|ssl.{0,20}(?:certificate|cert)\b|unknown ca\b|cert_(?:authority|date|common_name)|err_cert"
        r"|tlsv1[_ ]alert[_ ](?:protocol[_ ]version|unknown_ca)|unsupported protocol.{0,10}ssl"
        r"|wrong[_ ]version[_ ]number|sslv3[_ ]alert[_ ]handshake|ssl.{0,30}handshake[_ ]failure|x509"
        r"|unable to load certificate|tls_process_server_certificate|no suitable (?:ssl|tls)"
        r"|dh[_ ]key[_ ]too[_ ]small|unsafe[_ ]legacy[_ ]renegotiation|invalid peer certificate"
        r"|does not support ssl|ssl (?:was|is) required",
        example=(
            "ssl.SSLCertVerificationError",
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
        ),
        fix="Renew or trust the certificate; check the machine's clock.",
    ),
    Rule(
        id="certificate-type",
        cls="systemic",
        sure="high",
        types=r"sslcertverificationerror|clientconnectorcertificateerror|certificateerror|invalidcertificate\w*"
        r"|sslcertificateerror",
        example=("aiohttp.ClientConnectorCertificateError", "Cannot connect to host a.b:443"),
        fix="Renew or trust the certificate; check the machine's clock.",
    ),
    Rule(
        id="config-missing",
        cls="systemic",
        sure="high",
        text=r"(?:set|missing|provide|requires?|define|specify|supply|export|configure)\w* .{0,60}(?:api[ _-]?key"
        r"|environment variable|env(?:ironment)? var|credentials?|access token|auth token|client_secret"
        r"|secret key)|(?:api[ _-]?key|environment variable|env(?:ironment)? var|credentials?|token"
        r"|secret)s?\b.{0,40}(?:not (?:set|found|provided|configured|defined|available|loaded|present)"
        r"|is (?:missing|required|empty|unset)|(?:must|should|to) be (?:set|provided))|no (?:api[ _-]?key"
        r"|credentials?|auth(?:entication|orization)?|access token|token)\b.{0,30}(?:set|found|provided|configured"
        r"|available|given|supplied)|unable to locate credentials|could not (?:find|load|determine"
        r"|automatically determine) .{0,20}credentials|must specify a region|default credentials were not found"
        r"|make sure .{0,80}environment variable|(?:author|committer) identity unknown"
        r"|private key (?:file )?(?:is )?(?:encrypted|missing|unreadable)"
        r"|passphrase (?:is )?(?:required|needed|missing)|no (?:secret|private|public) key\b|(?:not found|missing"
        r"|didn't find|no) .{0,40}\bin (?:the |your )?(?:config(?:uration)?"
        r"|credentials) file|llm provider not provided|\bnot configured\b",
        unless=r"invalid literal|unexpected keyword|next[ _]?page[ _]?token|continuation token|csrf|unexpected token",
        example=(
            "OpenAIError",
            "The api_key client option must be set "
            "either by passing api_key or by setting the OPENAI_API_KEY environment variable",
        ),
        fix="Set the missing credential or setting.",
    ),
    Rule(
        id="setting-missing",
        cls="systemic",
        sure="medium",
        raw=r"validation errors? for (?:\w*settings|\w*config(?:uration)?|\w*credentials|environment|env)\b"
        r"|keyerror: '[a-z0-9]*_?(?:api_?key|token|secret|password|dsn|database_url|webhook\w*)'",
        example=(
            "pydantic_core.ValidationError",
            "1 validation error for Settings\nmail_host\n  Field required [type=missing]",
        ),
        fix="Set the missing setting.",
    ),
    Rule(
        id="environment-key",
        cls="systemic",
        sure="high",
        types=r"keyerror|environmentvariableerror|undefinedvalueerror|improperlyconfigured",
        raw=r"^.?[\"']?[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|must be set|not found\. declare",
        source=r"environ|getenv|config\(|settings",
        example=(
            "KeyError",
            "'FINNHUB_API_KEY'",
            '  File "plugins/a.py", line 3, in f\n    key = os.environ["FINNHUB_API_KEY"]\n',
        ),
        fix="Set the environment variable.",
    ),
    Rule(
        id="credentials",
        cls="systemic",
        sure="high",
        text=r"(?:invalid|incorrect|wrong|expired|revoked|bad|unknown|malformed|inactive|disabled|unrecognized"
        r"|unrecognised|missing) (?:or (?:missing|expired|invalid|revoked) )?(?:api[ _-]?(?:key|token)|x-api-key"
        r"|access[ _-]?(?:key|token)|auth(?:entication|orization)?(?: (?:token|header|credentials?|key))?\b"
        r"|security token|credentials?|refresh[ _-]?token|bearer token|jwt|signature|username|password"
        r"|client(?:_id| id| secret|_secret)|grant|session token|oauth|personal access token|user name|login)"
        r"|(?:api[ _-]?key|access[ _-]?(?:key|token)|security token|(?:refresh|bearer|auth|session|id)[ _-]?token"
        r"|token|credentials?|password|signature|jwt|oauth token|(?:license|secret|subscription) key"
        r"|authorization header)s?(?: \w+)?(?: you provided| provided| included in the request"
        r"| supplied)? (?:\w+ )?(?:is|are|was|were|has|have)? ?(?:been )?(?:not (?:valid|correct|recognized"
        r"|active)|invalid|incorrect|expired|revoked|disabled|rejected|wrong|malformed|blocked|deactivated|too old"
        r"|does not match|do not match)|authentication (?:failed|failure|error|required|credentials|unsuccessful"
        r"|token|is required|method)|authorization (?:failed|required|denied|failure)|auth failed"
        r"|failed to authenticate|could not authenticate|unauthenticated|unauthori[sz]ed|not authenticated"
        r"|not authori[sz]ed|could not read (?:username|password)|no pg_hba\.conf|password authentication failed"
        r"|access denied for user|role \S+ does not exist|fe_sendauth|permission denied \(publickey"
        r"|host key (?:verification failed|for .{0,60}does not match)|host key mismatch|wrongpass|noauth"
        r"|login failed for user|username and password not accepted|invalid[_ ]grant|invalid[_ ]client"
        r"|token has been (?:expired|revoked)|user not found.{0,20}auth|credentials? (?:have"
        r"|has) (?:been )?(?:revoked|expired)|could not validate credentials|unable to (?:authenticate|log ?in"
        r"|login)|two-factor|multi-factor|\b(?:2fa|mfa|otp) (?:code|token|required)|one-time (?:code|password)"
        r"|login (?:incorrect|or password)|\brun:? .{0,40}\b(?:auth|login)\b|insufficient[_ ]scope|(?:missing"
        r"|requires?|required|invalid|lacks?|needs?|grant\w*|without)\b.{0,40}\bscopes?\b|\bscopes?\b.{0,40}(?:missing"
        r"|required|insufficient|not granted|needed)",
        unless=rf"next page|pagination|continuation|unexpected token|token limit|decode token|{_TIMED}|special token"
        rf"|connection reset|not authorized to view this|scoped|microscope|telescope|in scope|out of scope"
        rf"|variable|unexpected keyword|password.protected|file is encrypted|encrypted pdf|protected pdf|pdf",
        example=("litellm.AuthenticationError", "AnthropicException - invalid x-api-key"),
        fix="Renew the credentials.",
    ),
    Rule(
        id="credential-type",
        cls="systemic",
        sure="high",
        types=r"(?:\w*authentication\w*error|\w*autherror|\w*unauthori[sz]ed\w*|permissiondenied(?:error)?"
        r"|invalidcredentials\w*|nocredentials\w*|partialcredentials\w*|credentialretrieval\w*|profilenotfound"
        r"|noregion\w*|smtpauthenticationerror|refresherror|defaultcredentialserror|tokenexpired\w*"
        r"|expiredtoken\w*|invalidtoken\w*|invalidauthorization\w*|invalidpassword|insufficientprivilege"
        r"|invalidgrant\w*|invalidclient\w*|authfailed\w*|notauthori[sz]ed\w*|unauthenticated\w*|loginrequired\w*"
        r"|loginfailed\w*|forbidden(?:error|exception)?|accessdenied\w*|sso\w*error|badcredentials\w*"
        r"|authorization\w*error|invalidaccesskey\w*|paymentrequirederror)",
        example=("botocore.exceptions.NoCredentialsError", "nothing was found"),
        fix="Renew the credentials or grant the right.",
    ),
    Rule(
        id="credential-code",
        cls="systemic",
        sure="high",
        codes=r"^(?:accessdenied\w*|unauthorized\w*|unauthenticated|expiredtoken\w*|invalidclienttokenid"
        r"|signaturedoesnotmatch|unrecognizedclient\w*|invalidaccesskeyid|authfailure|permissiondenied"
        r"|invalidapikey|authenticationerror|autherror|notauthorized|requesttimetooskewed|invalidtoken"
        r"|invalidsignature\w*|optinrequired|accessnotconfigured|servicedisabled|forbidden|invalidgrant"
        r"|invalidclient|unauthorizedclient|missingauthenticationtoken\w*|kmsaccessdenied\w*|apikeyinvalid"
        r"|apikeyexpired|tokenexpired|invalidcredentials|incompletesignature|28p01|28000|42501|3d000|eacces|eperm"
        r"|loginrequired|authorizationfailed|authenticationfailed|insufficientpermissions?|insufficientscopes?"
        r"|keydisabled|kmsdisabled\w*|disabledexception|kmsinvalidstate\w*|accountproblem|accountnotfound"
        r"|(?:invalid|missing|expired|revoked|bad|unknown|no|not)(?:auth\w*|token|scopes?|key|apikey|accesskey"
        r"|credentials?|session|signature|cookies?|permissions?|login)|(?:auth\w*|token|scope|key|apikey"
        r"|credentials?|session|account)(?:invalid|missing|expired|revoked|inactive|required|failed|failure"
        r"|disabled|suspended)|clusterblock\w*|teamaccessnotgranted|ekmaccessdenied)$",
        example=("ClientError", "An error occurred (UnrecognizedClientException) when calling the GetItem operation"),
        fix="Renew the credentials or grant the right.",
    ),
    Rule(
        id="rights",
        cls="systemic",
        sure="high",
        text=r"accept the (?:\w+ )?terms|terms of (?:service|use) (?:must|have to|need)|agree to the terms"
        r"|permission(?:s)? denied|insufficient (?:permission|privilege|access|scope|right)s?|(?:does"
        r"|do) not have (?:\w+ ){0,3}(?:permission|access|privilege|right|role|storage\.)s?|(?:lacks?|missing"
        r"|without) (?:the )?(?:required |necessary )?(?:\w+ )?(?:permission|privilege|scope|role|right)s?\b"
        r"|operation not permitted|read[- ]only (?:file ?system|database|transaction|replica|mode)"
        r"|readonly database|not allowed to (?:access|perform|use|write)|must be owner of|access (?:is "
        r"|was )?denied by|access is denied|not (?:allowed|permitted) by (?:\w+ ){0,2}policy"
        r"|access to this resource|has not been used in project|api (?:is )?(?:disabled|not enabled|has not been)"
        r"|not authorized to perform|requires? (?:the )?\w+ (?:permission|scope|role)|forbidden by (?:its"
        r"|administrator|policy)|disabled by (?:an |the |your )?admin|app not authorized"
        r"|you can't write against a read|\bis forbidden\b|\(forbidden\)|(?:please|must|need to"
        r"|have to) (?:first )?(?:verify|confirm|activate) your (?:e-?mail|account|identity|phone)"
        r"|(?:dubious|bad|wrong) owner(?:ship)?\b|permissions .{0,30}too open|(?:push|hook) declined|protected branch"
        r"|not (?:on|in) (?:\w+ ){1,3}(?:allow|white)[- ]?list|not (?:allow|white)[- ]?listed"
        r"|\bip(?: address)?(?: \S+)? (?:is )?not (?:allowed|permitted|authori[sz]ed)",
        unless=rf"{_TIMED}|robots\.txt",
        example=("RuntimeError", "permission denied for table articles"),
        fix="Grant the right.",
    ),
    Rule(
        id="robots",
        cls="item",
        sure="medium",
        text=r"robots\.txt",
        example=("RobotsError", "fetching is disallowed by robots.txt"),
    ),
    Rule(
        id="api-retired",
        cls="systemic",
        sure="high",
        text=r"(?:api|endpoint|version|model|service|resource|method|operation|feature|sdk|client"
        r"|v\d(?:\.\d)?) .{0,60}(?:deprecated|no longer (?:supported|available|exists|served|maintained|works)"
        r"|sunset|retired|decommissioned|discontinued|shut ?down (?:on|in|since)|been (?:removed|turned off"
        r"|disabled|replaced)|end[- ]of[- ]life|reached eol|upgrade to v)|(?:deprecated|retired|discontinued"
        r"|decommissioned|legacy) (?:api|endpoint|version|model|service)|model_?\w* ?(?:quoted"
        r"|\S+)? (?:does not exist|not found|is not (?:available|supported|found))|(?:unknown|unsupported|invalid"
        r"|no such) model\b|model (?:name|id) .{0,40}(?:invalid|not|unknown)|does not have access to model"
        r"|no longer supported|unsupported api version|update (?:to the latest|your) (?:version|client|sdk|app)"
        r"|please (?:update|upgrade)|(?:confirm|make sure) you are on the latest version"
        r"|you have the latest version|unable to extract|please report this (?:issue|bug) on"
        r"|client (?:is )?(?:too old|outdated)|no such (?:deployment|image)|try pulling it"
        r"|deployment .{0,40}does not exist|engine not found|no endpoints? found",
        unless=r"deprecationwarning|item was|sqlite3\.",
        example=("NotFoundError", "The model `x-large-2` has been deprecated and is no longer available"),
        fix="Move to what replaced it.",
    ),
    Rule(
        id="host-unknown",
        cls="systemic",
        sure="high",
        text=r"name or service not known|nodename nor servname|no address associated with|getaddrinfo failed"
        r"|unknown host|no such host|nxdomain|err_name_not_resolved|host not found|could not translate host name"
        r"|domain (?:name )?(?:not found|does not exist)|dns.{0,30}not exist",
        unless=r"temporary failure|try again",
        example=("httpx.ConnectError", "[Errno -2] Name or service not known"),
        fix="Check the host name.",
    ),
    Rule(
        id="host-unknown-number",
        cls="systemic",
        sure="high",
        errno=(-2, -5, 11001, 11004),
        example=("socket.gaierror", "[Errno -5] host"),
        fix="Check the host name.",
    ),
    Rule(
        id="dns-blip",
        cls="transient",
        sure="high",
        text=r"temporary failure in name resolution|eai_again|dns (?:lookup |resolution |query )?(?:timed? ?out"
        r"|timeout"
        r"|temporar|server fail)|servfail|(?:could not|couldn't|unable to|cannot|can't"
        r"|failed to) resolve (?:the )?(?:\w+ )?(?:host|proxy)|failed to resolve|resolver? (?:error|timeout)"
        r"|name resolution (?:failed|error)|dns (?:error|failure|resolution)|temporarily unable to resolve"
        r"|could not contact dns",
        example=("socket.gaierror", "[Errno -3] Temporary failure in name resolution"),
    ),
    Rule(
        id="proxy",
        cls="systemic",
        sure="high",
        text=r"proxy auth|407 proxy|unable to connect to proxy|cannot connect to proxy|proxy (?:error|refused|server)"
        r"|tunnel\w* (?:connection|socket) (?:failed|could not)|err_proxy|err_tunnel",
        unless=r"502|503|504|timed out|reset",
        example=("OSError", "Tunnel connection failed: 403"),
        fix="Check the proxy.",
    ),
    Rule(
        id="proxy-type",
        cls="systemic",
        sure="high",
        types=r"\w*proxyurl\w*|\w*proxyschemeunknown|\w*proxyauth\w*",
        example=("requests.exceptions.InvalidProxyURL", "Please check proxy URL. It is malformed"),
        fix="Check the proxy.",
    ),
    Rule(
        id="header-value",
        cls="systemic",
        sure="medium",
        text=r"illegal header value|invalid (?:return character or leading space|header value|character in header)",
        raw=r"bearer|key|token|auth|basic",
        example=("httpx.LocalProtocolError", "Illegal header value b'Bearer sk-123\\n'"),
        fix="Take the line break out of the credential.",
    ),
)
