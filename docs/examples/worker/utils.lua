-- utils.lua: what the other files share. A module is loaded once, so its local variables live as
-- long as the scripts do; a reload begins with new ones.

local utils = {}

local counts = {}
local remembered = {}

function utils.count(name, by)
	counts[name] = (counts[name] or 0) + (by or 1)
	return counts[name]
end

function utils.counted(name)
	return counts[name] or 0
end

function utils.remember(key, value)
	remembered[key] = value
end

function utils.whoami()
	return { id = config.id, regions = config.regions, since = remembered.started, host = config.host }
end

return utils
