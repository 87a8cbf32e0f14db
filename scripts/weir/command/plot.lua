return { summary = "draws pictures of a model", usage = "", positional = {}, options = {}, run = function() end }
