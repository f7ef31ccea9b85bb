-- tasks.lua: the functions that others may call. Each gets what the caller sent and, in `task`, who
-- asked: name, id, node, caller, host. What it returns is the answer.

local utils = require("utils")

local tasks = {}

-- Computes.
function tasks.test1(data)
	if type(data) ~= "table" or not data.price then error("price is missing", 0) end
	return { total = data.price * (data.pieces or 1), by = config.id }
end

-- Asks others, and goes on when they have answered; meanwhile this worker does other tasks.
function tasks.test2(data)
	local sum = 0
	for _, answer in ipairs(call("shop", "tasks.test1", data, 2)) do
		if answer.ok then
			sum = sum + answer.result.total
		else
			logf.warn("%s: %s", answer.node, answer.error)
		end
	end
	return sum
end

-- Fails, and says why; onError hears of it.
function tasks.fail()
	error("this is test number three")
end

-- Never ends by itself: it is cut off by its limits, and nothing else is held up.
function tasks.endless()
	while true do end
end

-- Answers later without keeping anybody waiting.
function tasks.later(seconds)
	sleep(seconds)
	return "after " .. seconds .. " s"
end

-- Called by a schedule.
function tasks.heartbeat()
	local beats = utils.count("beats")
	report({ beats = beats }) -- for everybody to see: nodes()[i].stats.beats, ncctl node
	emit("shop.heartbeat", { id = config.id, beats = beats })
end

-- Called for an event.
function tasks.onDelivered(data)
	utils.count("delivered", data.pieces)
end

function tasks.stock()
	return { delivered = utils.counted("delivered"), worker = info() }
end

return tasks
