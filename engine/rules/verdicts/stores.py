"""Second rank: databases and queues, by their own words, types and codes."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

STORES: Final = (
    Rule(
        id="db-busy",
        cls="transient",
        sure="high",
        text=r"being accessed by other users|(?:leader|primary) election|election in progress|database (?:table "
        r"|schema )?is locked|database schema has changed|deadlock|could not serialize access|lock wait timeout"
        r"|lock timeout|(?:could not|couldn't|unable to|cannot|can't|failed to|error) (?:acquir|obtain|get|set|tak)\w* "
        r"(?:\w+ ){0,3}lock\b|restart(?:ing)? (?:the )?transaction|serialization failure"
        r"|transaction (?:conflict|was aborted due to conflict)|write conflict|sqlite_busy|sqlite_locked"
        r"|lock not available|conflicting lock|\block is held|optimistic (?:lock|concurrency)|(?:object|record|row"
        r"|document|resource) (?:has been|was) (?:modified"
        r"|changed|updated)|modified by another|retry (?:the )?transaction"
        r"|transaction cancelled|too many (?:clients|connections)|connection slots are reserved"
        r"|connection pool (?:exhausted|limit|is full|timed)|queuepool limit|could ?n.t get a connection"
        r"|max_user_connections|max(?:imum)? (?:number of )?(?:client )?connections (?:reached|exceeded)"
        r"|recovery conflict|conflict with recovery|canceling statement due to|statement timeout"
        r"|query (?:timed out|was cancelled)|concurrent update|index\.lock"
        r"|another (?:process|instance|git process).{0,30}(?:running|lock)",
        example=("sqlite3.OperationalError", "database is locked"),
    ),
    Rule(
        id="db-busy-type",
        cls="transient",
        sure="high",
        types=r"deadlockdetected|serializationfailure|querycanceled|locknotavailable|transactionrollback\w*"
        r"|toomanyconnections|cannotconnectnow|adminshutdown|crashshutdown|idlesessiontimeout"
        r"|idleintransactionsessiontimeout|connection(?:failure|doesnotexist)|pooltimeout|stale\w*error"
        r"|autoreconnect|notprimaryerror|networktimeout|serverselectiontimeouterror|busyloadingerror|tryagainerror"
        r"|lockerror|locktimeout\w*|transactionconflict\w*",
        unless=r"refused",
        example=("psycopg.errors.QueryCanceled", "stopped"),
    ),
    Rule(
        id="db-starting",
        cls="transient",
        sure="high",
        text=r"database system is (?:starting up|shutting down|in recovery|not yet accepting)"
        r"|loading (?:redis is loading )?the dataset|server closed the connection|terminating connection"
        r"|server has gone away|lost connection to|ssl connection has been closed|connection (?:already|was|is"
        r"|has been) (?:closed|lost|killed|broken)|consuming input failed|eof detected|not primary|no primary"
        r"|master (?:is )?(?:down|not found)|clusterdown|tryagain|leader not available|not.?leader|failover"
        r"|node is (?:not|un)|rebalanc|connection not open|broker (?:not available|transport failure)"
        r"|no replica set members",
        unless=r"client has been closed|closed by (?:us|the application)|interfaceerror|session is closed|refused",
        example=("psycopg.OperationalError", "FATAL: the database system is starting up"),
    ),
    Rule(
        id="table-missing",
        cls="systemic",
        sure="high",
        text=r"(?:dataset|bucket|table|collection|topic|queue|index|database|project) \S+ (?:was |is )?not found"
        r"|no such (?:table|module|function|extension|database)|relation \S+ does not exist"
        r"|table \S+ (?:doesn't exist|does not exist|not found)|database \S+ does not exist|unknown database"
        r"|schema \S+ does not exist|collection \S+ (?:does not exist|doesn't exist|not found)|undefined table"
        r"|unable to open database|could not open (?:database|extension)|no such (?:bucket|queue|index|topic"
        r"|stream|collection|namespace)|\bno (?:queue|topic|bucket|exchange|index|collection|database|schema) quoted"
        r"|index_not_found|bucket does not exist|(?:specified )?(?:bucket|queue|topic"
        r"|stream) (?:\S+ )?does not exist|unknown topic|extension \S+ is not available"
        r"|requested resource not found|type \S+ does not exist|migration|pending migrations|schema version",
        unless=r"foreign key",
        example=("sqlite3.OperationalError", "no such table: articles"),
        fix="Create what is missing (run the migrations), or correct the name in the configuration.",
    ),
    Rule(
        id="table-missing-code",
        cls="systemic",
        sure="high",
        codes=r"^(?:undefinedtable|nosuchbucket|queuedoesnotexist|nonexistentqueue"
        r"|awssimplequeueservicenonexistentqueue"
        r"|resourcenotfoundexception|invalidcatalogname|invalidschemaname|indexnotfoundexception|tablenotfound\w*"
        r"|dbinstancenotfound\w*|42p01|notfoundexception|nosuchtable|databasenotfound)$",
        example=(
            "ClientError",
            "An error occurred (NoSuchBucket) when calling the GetObject operation: The specified bucket",
        ),
        fix="Create what is missing, or correct the name in the configuration.",
    ),
    Rule(
        id="db-damaged",
        cls="systemic",
        sure="high",
        text=r"disk i/o error|disk image is malformed|file is not a database|file is encrypted or is not a database"
        r"|database corrupt|index \S+ is corrupt|could not read block|misconf|oom command not allowed"
        r"|out of shared memory|input/output error|structure needs cleaning|no (?:healthy|available) (?:master"
        r"|shards)|cluster_block_exception|read_only_allow_delete|too many open files|cannot allocate memory"
        r"|out of memory: kill",
        unless=r"serving|healthy upstream",
        example=("sqlite3.DatabaseError", "database disk image is malformed"),
        fix="Restore the database, or mend the disk below it.",
    ),
    Rule(
        id="sql-wrong",
        cls="code_bug",
        sure="high",
        text=r"misuse of (?:aggregate|window)|no such savepoint|foreign key mismatch|is not a (?:table|view|sequence"
        r"|function)\b|recursive use of cursors|near (?:quoted ?|\"[^\"]{0,60}\"): syntax error"
        r"|syntax error at (?:or near|end of input)|you have an error in your sql|no such column"
        r"|column \S+ (?:of relation \S+ )?(?:does not exist|specified more than once)|unknown column"
        r"|has no column named|ambiguous column|column reference \S+ is ambiguous|incorrect number of bindings"
        r"|did not supply a value for binding|error binding parameter|binding \d+ has no name|placeholders? but"
        r"|parameters? (?:were passed|are required)|can't adapt type|cannot adapt type"
        r"|type quoted is not supported|not all arguments converted|one statement at a time"
        r"|sqlite objects created in a thread|(?:cannot operate on|closed) (?:a )?(?:closed )?(?:database|cursor)"
        r"|cursor (?:is )?(?:already )?closed|table \S+ already exists|within a transaction"
        r"|current transaction is aborted|must appear in the group by|operator does not exist"
        r"|function \S+ does not exist|datatype mismatch|cannot (?:start (?:a )?transaction|commit|rollback)"
        r"|no transaction is active"
        r"|too many sql variables|values for \d+ columns|has \d+ columns but \d+ values|more expressions than"
        r"|incomplete input|unrecognized token|wrongtype|wrong number of arguments for|multiple statements"
        r"|subquery|aggregate functions are not|there is no unique or exclusion constraint"
        r"|on conflict clause does not match|invalid reference to from|cannot cast type"
        r"|could not determine data type|unterminated quoted string",
        unless=r"json|not valid xml|pdf",
        example=("psycopg.errors.UndefinedColumn", 'column "titel" does not exist'),
        fix="Mend the statement.",
    ),
    Rule(
        id="sql-wrong-type",
        cls="code_bug",
        sure="high",
        types=r"wrongobjecttype|invalidcolumnreference|undefinedcolumn|undefinedfunction|ambiguouscolumn|duplicatetable"
        r"|duplicatecolumn|groupingerror|datatypemismatch|infailedsqltransaction|activesqltransaction"
        r"|noactivesqltransaction|indeterminatedatatype|programmingerror|compileerror|argumenterror|statementerror"
        r"|detachedinstanceerror|invalidrequesterror|missinggreenlet|pendingrollbackerror|paramvalidationerror"
        r"|unknownparametererror|unknownservice\w*|datanotfounderror|operationnotpageableerror"
        r"|noinspectionavailable|unmappedinstanceerror",
        unless=r"no such table|relation|doesn't exist|password|connection|timeout|timed out",
        example=("psycopg.ProgrammingError", "wrong use"),
        fix="Mend the statement or the call.",
    ),
    Rule(
        id="mail-later",
        cls="transient",
        sure="medium",
        types=r"smtp\w+",
        raw=r"\(4[25]\d, ",
        example=("smtplib.SMTPDataError", "(451, b'4.3.0 greylisted')"),
    ),
    Rule(
        id="row-refused",
        cls="item",
        sure="medium",
        text=r"unique constraint|duplicate (?:key|entry)|check constraint|not[- ]null constraint|null value in column"
        r"|foreign key constraint|value too long for|data too long|out of range for (?:type|column)"
        r"|invalid input syntax for|string or blob too big|incorrect (?:string|integer|decimal|datetime) value"
        r"|violates|conditional request failed|numeric field overflow|invalid byte sequence"
        r"|date/time field value out of range|cannot be null|value out of range|untranslatable character"
        r"|nul \(0x00\)|document.{0,20}too large|bsonobj size|truncated data|int too (?:large"
        r"|big) to convert to sqlite",
        example=("sqlite3.IntegrityError", "UNIQUE constraint failed: articles.url"),
    ),
    Rule(
        id="row-refused-type",
        cls="item",
        sure="medium",
        types=r"uniqueviolation|notnullviolation|checkviolation|foreignkeyviolation|exclusionviolation|integrityerror"
        r"|dataerror|stringdatarighttruncation|numericvalueoutofrange|invalidtextrepresentation"
        r"|invaliddatetimeformat|datetimefieldoverflow|characternotinrepertoire|untranslatablecharacter"
        r"|duplicatekeyerror|documenttoolarge|bulkwriteerror|conditionalcheckfailed\w*",
        example=("psycopg.errors.CheckViolation", "refused"),
    ),
    Rule(
        id="cloud-item",
        cls="item",
        sure="high",
        codes=r"^(?:nosuchkey|entitytoolarge|entitytoosmall|invalidobjectstate|keytoolongerror"
        r"|conditionalcheckfailedexception|itemcollectionsizelimitexceeded\w*|invaliddigest|malformedxml"
        r"|unsupportedmediatype|imagetoolarge\w*|invalidimageformat\w*|unsupporteddocument\w*|baddocument\w*"
        r"|documenttoolarge\w*|noobject|nosuchupload|blobnotfound|objectnotinactivetier\w*"
        r"|textsizelimitexceeded\w*|invalids3object\w*|unsupportedlanguage\w*|nosuchversion|messagetoolong"
        r"|filenotfound|itemnotfound|23505|23502|23503|23514|22001|22003|22007|22p02)$",
        example=(
            "ClientError",
            "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.",
        ),
    ),
    Rule(
        id="cloud-busy",
        cls="transient",
        sure="high",
        codes=r"^(?:internalerror|internalfailure|internalserver\w*|serviceunavailable\w*|requesttimeout\w*"
        r"|unavailable"
        r"|deadlineexceeded|aborted|transactionconflict\w*|transactioncanceled\w*|serverbusy|operationtimedout"
        r"|requestexpired|priorrequestnotcomplete|idempotent\w*|overloaded\w*|serveroverloaded|serveroverload"
        r"|engineoverloaded|backenderror|gatewaytimeout|badgateway|modelnotready\w*|modeltimeout\w*"
        r"|modelerrorexception|modelstreamerror\w*|etimedout|econnreset|econnaborted|epipe|eagain|enetunreach"
        r"|ehostunreach|enetdown|ehostdown|enobufs|40001|40p01|55p03|57014|57p01|57p02|57p03|53300|08006|08001"
        r"|08003|servererror|operationaborted|temporarilyunavailable|replicainrecovery|remotedisconnected"
        r"|connectionclosed\w*|upstreamerror|apiconnectionerror|connecttimeout\w*|readtimeout\w*)$",
        unless=r"invalid api key|refused",
        example=("ClientError", "An error occurred (InternalFailure) when calling the PutItem operation"),
    ),
    Rule(
        id="cloud-call-wrong",
        cls="code_bug",
        sure="medium",
        codes=r"^(?:validationexception|invalidparameter\w*|invalidargument|missingparameter|invalidaction"
        r"|malformedquerystring|malformedpolicy\w*|unknownoperation\w*|serializationexception"
        r"|invalidrequestexception|invalidquery\w*|\w*(?:cypher|sql|query|statement)syntaxerror"
        r"|missingrequiredparameter|unimplemented|unsupportedoperation\w*"
        r"|methodnotallowed|badparameter|invalidparam\w*|graphqlvalidationfailed|graphqlparsefailed|undefinedfield"
        r"|42703|42601|42804|42883|invalidexpression\w*|parsingexception|searchphaseexecution\w*"
        r"|illegalargumentexception|unsupportedparams\w*|invalidrange)$",
        unless=r"too (?:large|long|big)|size|(?:unable|failed) to (?:process|decode|read|parse)|(?:image|video|audio"
        r"|document|file|url)\b.{0,40}(?:invalid|not|could|corrupt|unsupported)|api key|quota|api_key|credential",
        example=(
            "ClientError",
            "An error occurred (ValidationException) when calling the Query operation: One or more parameter values",
        ),
        fix="Mend the call.",
    ),
)
