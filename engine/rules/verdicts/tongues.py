"""What programs and services say in other languages, in the English words that the rules look for.

A message keeps its own words, and what it means is put behind them; so one table serves every rule. The order of the
table does not matter: the rules rank what was said.
"""

from __future__ import annotations

import re
from typing import Final

_MEANINGS: Final = (
    (
        "too many requests",
        r"zu viele (?:anfragen|zugriffe|aufrufe|abfragen)|trop de (?:requêtes|demandes|appels)"
        r"|demasiad[ao]s (?:solicitudes|peticiones|consultas|llamadas)|troppe richieste|(?:muitas"
        r"|demasiad[ao]s|excesso de) (?:solicitações|requisições|pedidos|chamadas)|te veel (?:verzoeken"
        r"|aanvragen)|слишком (?:много|часто\w*) запрос|(?:请求|請求|访问|操作|调用)(?:次数)?(?:过于|過於|太"
        r"|过)(?:频繁|頻繁|多|快)|(?:リクエスト|アクセス)(?:数|回数)?が(?:多すぎ|上限|制限)|요청이 너무 많",
    ),
    (
        "request limit reached",
        r"(?:anfrage|abfrage|abruf|aufruf|raten|nutzungs|tages|minuten|stunden|wochen|monats"
        r"|api)[a-z]{0,3}-?(?:limit|kontingent|quote|grenze|volumen)\w* .{0,30}(?:erreicht|überschritten"
        r"|schöpft|aufgebraucht)|(?:limite|quota) (?:de |d')?(?:requêtes|appels|débit|utilisation|journali"
        r"|quotidien|mensuel|horaire)\w*.{0,30}(?:atteint|dépass|épuis)|(?:atteint|dépassé|épuisé) (?:la|le"
        r"|votre) (?:limite|quota) (?:de |d')?(?:requêtes|appels|débit|utilisation|journali|quotidien"
        r"|mensuel)|(?:límite|cuota|limite|cota|quota) (?:de |di )?(?:solicitudes|peticiones|llamadas"
        r"|consultas|uso|richieste|utilizzo|requisições|solicitações|chamadas|diari|mensual|mensile"
        r"|giornalier|diári|mensal)\w*.{0,30}(?:alcanzad|superad|excedid|agotad|superat|raggiunt|esaurit"
        r"|atingid|esgotad)|(?:superado|excedido|alcanzado|superato|raggiunto|excedeu|atingiu) (?:el|la|su"
        r"|il|o|a|seu) (?:límite|cuota|limite|quota|cota) (?:de |di )?(?:solicitudes|peticiones|llamadas"
        r"|consultas|uso|richieste|requisições|solicitações|chamadas)|(?:лимит"
        r"|квота) (?:запросов )?(?:исчерпан|превышен)|превышен лимит запросов|(?:次数|频率|用量|额度"
        r"|配额).{0,6}上限|(?:配额|调用量|调用次数|请求次数|流量)(?:已|已经|被)?(?:用完|用尽|超限|耗尽|超出"
        r"|达到)|超(?:出|过|過).{0,8}(?:频率|頻率|配额|次数)|(?:利用枠|クォータ|利用制限|回数制限)(?:に達"
        r"|を超)",
    ),
    (
        "temporarily unavailable, please try again later",
        r"vorübergehend (?:nicht|außer)|zur ?zeit nicht erreichbar|wartungs(?:arbeiten|modus|fenster)"
        r"|(?:server|dienst|system) .{0,15}(?:überlastet|ausgelastet)|später (?:erneut|noch ?mal|noch einmal"
        r"|wieder)|temporairement (?:indisponible|inaccessible)|\b(?:en|pour|de) maintenance\b|(?:réessay"
        r"|essay)\w+ (?:plus tard|ultérieurement)|surchargé|temporalmente (?:no disponible"
        r"|fuera de servicio)|(?:en|por) mantenimiento|m(?:á|a)s tarde|sobrecargad"
        r"|temporaneamente non disponibil|in manutenzione|più tardi|sovraccaric|temporariamente indisponív"
        r"|em manutenção|mais tarde|tijdelijk niet beschikbaar|временно недоступ|(?:повторите"
        r"|попробуйте).{0,20}позже|технические работы|(?:系统|系統|服务器?|伺服器|网络)(?:繁忙|忙|正?在?维护"
        r"|暂时?不可用|过载)|稍[后後](?:再|重)|维护中|混み合って|メンテナンス|しばらく(?:して|経って|たって)"
        r"|一時的に利用できま|나중에 다시",
    ),
    (
        "timed out",
        r"zeitüberschreitung|zeitlimit (?:\w+ ){0,3}überschritten|délai (?:d'attente |de \w+ |imparti "
        r"|\w+ )*(?:est )?(?:dépassé|expiré|écoulé)|tiempo de espera (?:\w+ ){0,3}(?:agotad|excedid|superad)"
        r"|se agotó el tiempo|trop de temps|zu lange gedauert|tardó demasiado|tempo (?:scaduto|esgotado"
        r"|limite excedido)|время ожидания (?:истекло|превышено)|超时|逾時|タイムアウト",
    ),
    (
        "connection refused",
        r"verbindung\w* (?:wurde )?(?:verweigert|abgelehnt)|connexion refusée|conexión (?:rechazada"
        r"|rehusada)|connessione rifiutata|conexão recusada|соединени[еи] (?:отклонен|отказано)"
        r"|в соединении отказано|连接被?拒绝|拒绝连接|接続を?が?拒否",
    ),
    (
        "connection reset",
        r"verbindung (?:\w+ ){0,5}(?:zurückgesetzt|abgebrochen|unterbrochen|geschlossen|getrennt|verloren)"
        r"|connexion (?:\S+ ){0,4}(?:réinitialisée|interrompue|fermée|perdue)"
        r"|conexión (?:\S+ ){0,3}(?:reinicializada|restablecida|interrumpida|perdida|cerrada)"
        r"|connessione (?:\S+ ){0,3}(?:interrotta|reimpostata|persa|chiusa)"
        r"|conexão (?:\S+ ){0,3}(?:redefinida|interrompida|perdida|fechada)|соединение (?:разорвано|сброшено"
        r"|потеряно)|连接(?:已|被|已被)?(?:重置|中断|断开|关闭)|接続が(?:切断|リセット|切れ)",
    ),
    (
        "authentication failed",
        r"(?:authentifizierung|anmeldung|login)\b.{0,60}(?:fehlgeschlagen|gescheitert|erforderlich)"
        r"|(?:kennwort|passwort|zugangsdaten|anmeldedaten|(?:zugriffs|zugangs)?token|api-?(?:schlüssel"
        r"|key))\b.{0,25}(?:falsch|ungültig|abgelaufen|gesperrt)|(?:ungültig|falsch"
        r"|abgelaufen)\w* (?:kennwort|passwort|zugangsdaten|anmeldedaten|(?:zugriffs|zugangs)?token"
        r"|api-?(?:schlüssel|key))|nicht (?:autorisiert|authentifiziert|angemeldet)|bitte (?:melden sie sich"
        r"|(?:zuerst |erneut )?(?:anmelden|einloggen))|(?:échec|erreur) (?:de l'|de |d')(?:authentification"
        r"|identification|connexion au compte)|authentification (?:échouée|requise|nécessaire)"
        r"|identifiants? (?:\w+ )?(?:invalide|incorrect|erroné)|mot de passe (?:\w+ )?(?:incorrect|invalide"
        r"|erroné|expiré)|(?:jeton|clé d'api|clé api)\b.{0,20}(?:invalide|expiré|révoqué)|non autorisé"
        r"|veuillez vous (?:re)?connecter|session (?:\w+ )?expirée|sitzung (?:\w+ )?abgelaufen"
        r"|sesión (?:\w+ )?(?:caducad|expirad)|sessione (?:\w+ )?scadut|sessão (?:\w+ )?expir|сессия истекла"
        r"|会话(?:已)?过期|(?:credenciales|contraseña|clave de api|token)\b.{0,20}(?:no válid|inválid"
        r"|incorrect|caducad|expirad|vencid)|autenticación (?:fallida|requerida)|error de autenticación"
        r"|no autorizad|inicie sesión|(?:credenziali|token|chiave api)\b.{0,20}(?:non valid|errat|scadut)"
        r"|autenticazione (?:fallita|richiesta)|non autorizzat|credenciais inválidas|senha (?:incorreta"
        r"|inválida)|não autorizad|falha na autenticação|ошибка (?:аутентификации|авторизации)"
        r"|неверн\w+ (?:пароль|логин|токен|ключ)|не авторизован|требуется авторизация|(?:无效|错误"
        r"|过期)的?(?:api)? ?(?:密钥|令牌|token|凭证|凭据|签名|密码)|(?:密钥|令牌|token|凭证|凭据|签名"
        r"|密码)(?:已|不)?(?:无效|错误|过期|失效|正确)|未登录|请(?:先|重新)?登录|登录(?:已)?(?:过期|失效"
        r"|失败)|未授权|(?:认证|鉴权|身份验证)失败|認証(?:に失敗|エラー|が必要)|ログイン(?:が必要|してくだ"
        r"|に失敗)|(?:パスワード|apiキー|トークン)が(?:正しくあり|無効|間違|期限)",
    ),
    (
        "permission denied",
        r"zugriff (?:wurde )?verweigert|keine (?:\w+ )?(?:berechtigung|zugriffsrechte)|fehlende berechtigung"
        r"|permission (?:non accordée|refusée)|accès (?:refusé|interdit)|permiso denegado|acceso denegado"
        r"|no tiene permiso|(?:permesso|accesso) negato|permissão negada|acesso negado|отказано в доступе"
        r"|доступ запрещ|недостаточно прав|权限不足|没有权限|无权(?:限|访问)|拒绝访问|權限不足|権限がありま"
        r"|アクセスが?を?拒否",
    ),
    (
        "insufficient balance",
        r"guthaben (?:\w+ ){0,2}(?:aufgebraucht|reicht nicht|erschöpft|zu niedrig|nicht ausreichend)|(?:kein"
        r"|nicht genügend|unzureichendes) guthaben|(?:solde|crédits?) (?:\w+ )?(?:insuffisant|épuisé)"
        r"|(?:saldo|créditos|fondos) (?:\w+ )?(?:insuficiente|agotado)|credito (?:insufficiente|esaurito)"
        r"|недостаточно средств|余额不足|餘額不足|欠费|请充值|残高が?不足",
    ),
    (
        "your account has been suspended",
        r"\b(?:ihr|dein) konto (?:\w+ ){0,3}(?:gesperrt|deaktiviert)|votre compte (?:\S+ ){0,3}(?:suspendu"
        r"|désactivé|bloqué)|(?:su|tu) cuenta (?:\S+ ){0,3}(?:suspendid|bloquead|desactivad)|(?:tuo"
        r"|suo) account (?:\S+ ){0,3}(?:sospes|bloccat)|sua conta (?:\S+ ){0,3}(?:suspens|bloquead)"
        r"|ваш (?:аккаунт|уч[её]тная запись) .{0,20}(?:заблокирован|приостановлен)|(?:账号|账户|帐号"
        r"|帳號)(?:已|被|已被)?(?:封禁|冻结|停用|锁定)|アカウント[がは].{0,6}(?:停止|凍結|ロック)",
    ),
    (
        "your subscription has expired",
        r"(?:abonnement|\babo|lizenz) (?:\w+ ){0,2}(?:abgelaufen|beendet|gekündigt)|(?:abonnement"
        r"|licence) (?:\w+ ){0,2}(?:expiré|terminé|résilié)|(?:suscripción|licencia) (?:\w+ ){0,2}(?:caducad"
        r"|vencid|expirad)|(?:abbonamento|licenza) (?:\w+ ){0,2}scadut|assinatura (?:\w+ ){0,2}expir"
        r"|(?:подписка|лицензия) (?:истекла|закончилась)|(?:订阅|套餐|许可证)已?(?:过期|到期)",
    ),
    (
        "no space left on device",
        r"(?:kein|nicht genügend|nicht genug|zu wenig) (?:freier )?speicherplatz|festplatte (?:ist )?voll"
        r"|plattenplatz\w* .{0,20}überschritten|(?:plus|pas assez|aucun) (?:d'|de place"
        r"|espace)\S*.{0,25}(?:disque|périphérique)|disque (?:est )?plein|quota (?:de )?disque"
        r"|no queda espacio|disco lleno|spazio .{0,20}(?:esaurito|insufficiente)|disco pieno|não há espaço"
        r"|sem espaço|disco cheio|нет места на|недостаточно места|диск (?:полон|заполнен)|(?:磁盘|磁碟|设备"
        r"|存储)(?:空间|上)?(?:已满|不足|没有空间)|空き(?:領域|容量)|ディスクがいっぱい",
    ),
    (
        "command not found",
        r"(?:befehl|kommando) nicht gefunden|commande (?:introuvable|non trouvée)|(?:orden"
        r"|comando) no encontrad|comando non trovato|comando não encontrado|команда не найдена|未找到命令"
        r"|命令未找到|コマンドが見つかりま",
    ),
    (
        "name or service not known",
        r"name oder dienst nicht bekannt|(?:unbekannter (?:host|rechner)|host\w* (?:unbekannt"
        r"|nicht gefunden))|nom ou service inconnu|hôte inconnu|nombre o servicio desconocido|(?:host"
        r"|servidor) desconocido|nome o servizio sconosciuto|nome ou serviço desconhecido"
        r"|имя или служба не известны|неизвестный хост|未知的名称或服务|无法解析(?:主机|域名)"
        r"|名前またはサービスが不明",
    ),
    (
        "no such table",
        r"(?:relation|tabelle|datenbank|base de données|tabla|base de datos|tabella|tabela|таблица"
        r"|отношение) \S{1,60} (?:existiert nicht|n'existe pas|no existe|non esiste|não existe"
        r"|не существует)|(?:表|数据库|索引)\S{0,40}不存在",
    ),
    (
        "internal server error",
        r"interner? (?:server)?-?fehler|erreur interne|error interno|errore interno|erro interno"
        r"|внутренняя ошибка|(?:服务器|系统)?内部错误|服务器错误|系统错误|(?:サーバー?|内部)エラー",
    ),
    (
        "not available in your country",
        r"in (?:deinem|ihrem) land nicht|(?:dans|pour) votre pays|en (?:su|tu) país|nel tuo paese"
        r"|no seu país|в вашей стране|所在的?(?:地区|国家)|お住まいの(?:国|地域)",
    ),
    (
        "private video",
        r"(?:video|beitrag|profil|kanal|inhalt) ist privat|(?:vidéo|publication) (?:est )?privée|(?:vídeo"
        r"|video) (?:es |è )?priva[dt]o|私密视频|非公開(?:動画|です)",
    ),
    (
        "for paying subscribers",
        r"nur für (?:abonnenten|mitglieder)|réservée? aux (?:abonné|membre)|(?:solo"
        r"|exclusivo) para (?:suscriptores|miembros)|(?:solo|riservato) (?:per |a)\w* (?:gli )?abbonati"
        r"|(?:仅限|仅对)(?:会员|订阅)|会员专享|会員限定",
    ),
    (
        "are you a robot",
        r"kein roboter|sie (?:ein )?mensch sind|pas un robot|no (?:eres|es|soy) un robot|non sono un robot"
        r"|não (?:é|sou) um robô|не робот|验证码|驗證碼|人机验证|ロボットではありません",
    ),
    (
        "file is invalid",
        r"(?:ungültig|beschädigt|fehlerhaft|defekt|unlesbar|nicht unterstützt)\w* \w{0,20}(?:datei|bild"
        r"|dokument|archiv|format|eingabe|datum|pdf)|(?:datei|bild|dokument|archiv|format|datum"
        r"|pdf)\b (?:\w+ ){0,3}(?:ungültig|beschädigt|defekt|fehlerhaft|zu groß|leer\b|passwortgeschützt"
        r"|verschlüsselt|nicht unterstützt)|(?:fichier|image|document|archive|format"
        r"|date) (?:\w+ ){0,3}(?:invalide|corrompu|endommagé|illisible|trop (?:gros|volumineux|grand)|vide\b"
        r"|non pris en charge)|(?:archivo|fichero|imagen|documento|formato|fecha) (?:\w+ ){0,3}(?:no válid"
        r"|inválid|dañad|corrupt|demasiado grande|vací|no (?:compatible|admitid|soportad))|(?:file|immagine"
        r"|formato|documento) (?:\w+ ){0,2}(?:non valid|danneggiat|troppo grande)|(?:arquivo|ficheiro|imagem"
        r"|formato) (?:\w+ ){0,2}(?:inválid|corrompid|muito grande)|(?:文件|图片|图像|视频|文档|格式)(?:已"
        r"|内容)?(?:损坏|无效|过大|太大|错误|不支持|为空)|不支持的?(?:文件|格式|类型)|(?:ファイル|画像"
        r"|形式)[がは](?:壊れ|破損|無効|大きすぎ|サポートされ|対応し)|(?:файл|изображение"
        r"|документ) (?:повреж|слишком больш|пуст)",
    ),
    (
        "not found",
        r"nicht (?:mehr )?(?:gefunden|vorhanden)|existiert nicht|nicht mehr verfügbar|(?:wurde"
        r"|ist) (?:\w+ ){0,3}(?:gelöscht|entfernt|zurückgezogen)|introuvable|n'existe (?:pas|plus)"
        r"|n'est plus disponible|(?:a été|est) supprimé|no (?:se )?(?:ha )?(?:encontr|existe)"
        r"|ya no está disponible|ha sido eliminad|non (?:trovat|esiste)|non (?:è )?più disponibil"
        r"|è stat\w (?:rimoss|eliminat)|não (?:encontrad|existe)|não está mais disponív|foi (?:removid"
        r"|excluíd)|не (?:найден|существует)|был\w? удал|不存在|未找到|找不到|已(?:被)?.{0,4}(?:删除|刪除"
        r"|下架|移除)|見つかりません|存在しません|削除され|非公開|datei oder verzeichnis|aucun fichier ou"
        r"|(?:archivo|fichero) o (?:el )?directorio|file o directory|没有那个文件|нет такого файла"
        r"|ファイルやディレクトリ",
    ),
)
_TABLE: Final = tuple((english, re.compile(pattern)) for english, pattern in _MEANINGS)


def in_english(text: str) -> str:
    """What a text (lower case) says in another language, as English phrases; empty when nothing is known."""
    return "; ".join(english for english, pattern in _TABLE if pattern.search(text))
