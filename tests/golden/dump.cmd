refchain dump 4194305 -o app.rch
