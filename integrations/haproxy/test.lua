-- Runs tlsflags.lua on the vectors in the folder $VECTORS, when HAProxy loads this file.

local tls_flag = dofile("tlsflags.lua")
local folder = os.getenv("VECTORS")

-- block puts the length of s, in some bytes, before it.
local function block(bytes, s) return string.pack(">s" .. bytes, s) end

-- records puts a handshake message into TLS records of at most some bytes.
local function records(message, size)
	local out = {}
	for i = 1, #message, size do out[#out + 1] = "\22\3\1" .. block(2, message:sub(i, i + size - 1)) end
	return table.concat(out)
end

-- hello returns a ClientHello whose TLS Flags extension has some data, and which offers TLS 1.3
-- if versions says so.
local function hello(data, versions)
	local extensions = "\0\62" .. block(2, data) .. "\0\43" .. block(2, block(1, versions or "\3\4"))
	return "\1" .. block(3, "\3\3" .. ("r"):rep(32) .. "\0" .. block(2, "\19\1") .. "\1\0" .. block(2, extensions))
end

-- offers finds TLS 1.3 in what looks like the extension supported_versions.
local function offers(input)
	local i = input:find("\0%+\0[\3-\41][\2-\40]")
	return i and input:sub(i + 5, i + 4 + input:byte(i + 4)):find("\3\4")
end

local count = 0

local function check(what, input, flag, want)
	count = count + 1
	local got = tls_flag(input, flag)
	if got ~= want then error(("%s, flag %d: got %d, want %d"):format(what, flag, got, want)) end
end

-- check_all checks the flags that a hello sets, and some that it may not set.
local function check_all(id, input, set)
	for _, flag in ipairs {0, 8, 15, 80, 81, 2039} do check(id, input, flag, set[flag] or 0) end
	for flag in pairs(set) do check(id, input, flag, 1) end
end

local function read(path)
	local f = assert(io.open(folder .. "/" .. path, "rb"))
	local s = f:read("a")
	f:close()
	return s
end

for line in io.lines(folder .. "/index.tsv") do
	local c = {}
	for column in (line .. "\t"):gmatch("([^\t]*)\t") do c[#c + 1] = column end
	local id, entry, result, code, flags = c[1], c[3], c[6], c[7], c[12]
	local set = {}
	if result == "valid" then
		for flag in flags:gmatch("%d+") do set[tonumber(flag)] = 1 end
	end
	if entry == "extension_data" then
		check_all(id, records(hello(read(id .. ".bin")), 16384), set)
	elseif entry == "handshake" and c[2] == "client_hello" then
		local input = read(id .. ".bin")
		if not offers(input) then set = {} end
		if code == "truncated" then
			local from, to = c[5]:match("(%d+)-(%d+)")
			for n = from or #input, to or #input do check(id, records(input:sub(1, n), 16384), 80, -1) end
		else
			check_all(id, records(input, 16384), set)
		end
	end
end

-- A hello in pieces.
local message = hello(block(1, "\1" .. ("\0"):rep(9) .. "\1"))
for _, size in ipairs {1000, 50, 20} do
	local input = records(message, size)
	for n = 0, #input - 1 do check("the first bytes of a hello", input:sub(1, n), 80, -1) end
	check("a hello in records", input .. "\23\3\3", 80, 1)
end
check("a hello in too many records", records(message, 1), 80, 0)
check("a hello that another record interrupts", records(message:sub(1, 50), 99) .. "\20\3\3\0\1\1", 80, 0)
check("an empty record", "\22\3\1\0\0", 80, 0)
check("a hello without TLS 1.3", records(hello(block(1, "\1" .. ("\0"):rep(9) .. "\1"), "\3\3"), 99), 80, 0)
check("HTTP", "GET / HTTP/1.1\r\n", 80, 0)
core.log(core.info, count .. " checks of tlsflags.lua pass")
