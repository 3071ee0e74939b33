refchain graph --backrefs --limit 20 fifty.rch app.Conn
