-- The fetch lua.tls_flag for HAProxy reads the ClientHello that a connection in mode tcp
-- begins with. lua.tls_flag(NUMBER), with 80 for request_mtls, is
--
--    1  if the client sets this TLS flag in a well-formed extension, and offers TLS 1.3
--    0  if it does not, or if what it sends is no ClientHello
--   -1  if more has to come
--
-- The rules are those of RFC 9846, Sections 4.2.2 and 5.1, and of draft-ietf-tls-tlsflags-16,
-- Section 2.

-- The extension types: the proposed one, and that of experiments. If a hello has both, the
-- first decides.
local tls_flags, experimental = 62, 0xfe01
local pre_shared_key, supported_versions = 41, 43

-- A hello in more records is as one without flags, or many small ones would take much time; and
-- so is one of more bytes, which cannot be a hello.
local most_records, most_bytes = 32, 131396

-- u16 returns the integer of two bytes at i, or nil if they are not there.
local function u16(s, i)
	local a, b = s:byte(i, i + 1)
	return b and 256 * a + b
end

-- client_hello returns the body of the ClientHello that s begins with, nil if more has to
-- come, and false if there is none.
local function client_hello(s)
	local parts, i, ended = {}, 1, false
	while i <= #s and not ended do
		local kind, major = s:byte(i, i + 1)
		local size = u16(s, i + 3)
		if kind ~= 22 or major and major ~= 3 or size == 0 or #parts == most_records then
			ended = true
		elseif not size then
			break
		else
			parts[#parts + 1] = s:sub(i + 5, i + 4 + size)
			i = i + 5 + size
		end
	end
	local message = table.concat(parts)
	if message ~= "" and message:byte() ~= 1 then return false end
	local low = u16(message, 3)
	local length = low and 65536 * message:byte(2) + low
	if length and #message >= 4 + length then return message:sub(5, 4 + length) end
	if ended or length and length > most_bytes then return false end
	return nil
end

-- extensions returns the data of each extension by its type, or nil if the hello is malformed.
local function extensions(body)
	local session = body:byte(35) -- after legacy_version and random
	if not session or session > 32 then return nil end
	local i = 36 + session
	local suites = u16(body, i)
	if not suites or suites == 0 or suites % 2 == 1 then return nil end
	i = i + 2 + suites
	local methods = body:byte(i)
	if not methods or methods == 0 then return nil end
	i = i + 1 + methods
	if u16(body, i) ~= #body - i - 1 then return nil end
	i = i + 2
	local found = {}
	while i <= #body do
		local kind, size = u16(body, i), u16(body, i + 2)
		if not size or i + 3 + size > #body or found[kind] or found[pre_shared_key] then return nil end
		found[kind] = body:sub(i + 4, i + 3 + size)
		i = i + 4 + size
	end
	return found
end

-- has reports whether a flag is set in the data of an extension.
local function has(data, number)
	local size = data:byte(1)
	if not size or size == 0 or size ~= #data - 1 or data:byte(-1) == 0 then return false end
	local octet = data:byte(2 + math.floor(number / 8))
	return octet ~= nil and math.floor(octet / 2 ^ (number % 8)) % 2 == 1
end

-- offers reports whether the data of supported_versions has TLS 1.3.
local function offers(data)
	if data:byte(1) ~= #data - 1 then return false end
	for i = 2, #data, 2 do
		if u16(data, i) == 0x0304 then return true end
	end
	return false
end

-- tls_flag returns what the fetch returns.
local function tls_flag(s, number)
	local body = client_hello(s)
	if body == nil then return -1 end
	local found = body and extensions(body)
	local flags = found and (found[tls_flags] or found[experimental])
	local versions = found and found[supported_versions]
	return flags and versions and has(flags, number) and offers(versions) and 1 or 0
end

core.register_fetches("tls_flag", function(txn, number)
	return tls_flag(txn.req:dup(), tonumber(number))
end)

return tls_flag
