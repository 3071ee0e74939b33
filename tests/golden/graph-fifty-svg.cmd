refchain graph --svg --backrefs fifty.rch app.Conn
