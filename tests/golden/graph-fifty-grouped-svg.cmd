refchain graph --svg --backrefs --limit 20 fifty.rch app.Conn
