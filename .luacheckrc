std = "luajit"
max_line_length = 130
cache = false
files["tests/lua"] = { std = "luajit+busted" }
