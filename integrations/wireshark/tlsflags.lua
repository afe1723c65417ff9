-- A postdissector for Wireshark and tshark that shows the TLS Flags extension of all
-- handshake messages over TLS, QUIC and DTLS. It uses what Wireshark's own dissectors have
-- found, so it sees what they see. README.md says how to install it.
--
-- The names of errors are those of the tlsflags command. The rules are those of
-- draft-ietf-tls-tlsflags-16, Sections 2 to 4; RFC 9846, Sections 4.2.2 and 4.3; and
-- draft-jhoyla-req-mtls-flag, Section 3.

local tlsflags = Proto("tlsflags", "TLS Flags")

-- The extension types: the proposed one, and that of experiments. If a message has both,
-- the first decides.
local code_points = {62, 0xfe01}

-- Flags by number, with the messages that their documents allow them in, and that in which
-- they may only answer the ClientHello.
local registry = {
	[8] = {name = "resumption_across_names", messages = {NewSessionTicket = true}},
	[80] = {name = "request_mtls", messages = {ClientHello = true, CertificateRequest = true},
		answer = "CertificateRequest"},
}

local flag_names = {}
for number, flag in pairs(registry) do flag_names[number] = flag.name end

local f_message = ProtoField.string("tlsflags.message", "Message")
local f_type = ProtoField.uint16("tlsflags.type", "Extension type", base.DEC_HEX)
local f_flag = ProtoField.uint16("tlsflags.flag", "Flag", base.DEC, flag_names)
local f_error = ProtoField.string("tlsflags.error", "Error")
tlsflags.fields = {f_message, f_type, f_flag, f_error}

local e_malformed = ProtoExpert.new("tlsflags.malformed", "Malformed TLS flags", expert.group.MALFORMED, expert.severity.ERROR)
local e_unsolicited = ProtoExpert.new("tlsflags.unsolicited", "Unsolicited TLS flags", expert.group.PROTOCOL, expert.severity.ERROR)
local e_misplaced = ProtoExpert.new("tlsflags.misplaced", "A TLS flag in the wrong message", expert.group.PROTOCOL, expert.severity.WARN)
local e_changed = ProtoExpert.new("tlsflags.changed", "TLS flags changed after HelloRetryRequest", expert.group.PROTOCOL, expert.severity.ERROR)
tlsflags.experts = {e_malformed, e_unsolicited, e_misplaced, e_changed}

local errors = {
	empty_data = {e_malformed, "extension_data of tls_flags is empty"},
	empty_vector = {e_malformed, "the flags vector is empty"},
	inner_too_long = {e_malformed, "the flags vector is longer than extension_data"},
	trailing_bytes = {e_malformed, "bytes follow the flags vector"},
	all_zero = {e_malformed, "no flag is set"},
	trailing_zero = {e_malformed, "the last flags octet is zero"},
	flags_unrequested = {e_unsolicited, "tls_flags answers a message that had none"},
	flag_unsolicited = {e_unsolicited, "a flag answers a message that did not have it"},
	flag_misplaced = {e_misplaced, "its document does not allow the flag in this message"},
	second_hello_changed = {e_changed, "the second ClientHello has other TLS flags than the first"},
}

-- Handshake messages by type. A ServerHello with the random value of RFC 9846, Section
-- 4.2.3 is a HelloRetryRequest.
local kinds = {
	[1] = "ClientHello", [2] = "ServerHello", [4] = "NewSessionTicket", [6] = "HelloRetryRequest",
	[8] = "EncryptedExtensions", [11] = "Certificate", [13] = "CertificateRequest",
}
local retry = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"

-- Messages whose flags may only be those that another message has.
local answers = {ServerHello = true, HelloRetryRequest = true, EncryptedExtensions = true, Certificate = true}

local streams = {["tcp.stream"] = true, ["udp.stream"] = true, ["sctp.assoc_index"] = true, ["quic.connection.number"] = true}

-- Wireshark keeps a field in the tree only if somebody asks for it, and forgets what the
-- garbage collector takes.
local asked_for = {}
for name in pairs(streams) do asked_for[name] = Field.new(name) end
for _, part in ipairs {"type", "random", "extensions_length", "extension.type"} do
	for _, name in ipairs {"tls.handshake." .. part, "dtls.handshake." .. part} do
		asked_for[name] = Field.new(name)
	end
end

-- What was sent before, by stream: lists of messages in order.
local history = {}

function tlsflags.init()
	history = {}
end

-- extension returns the extension whose type is at a field: the place in the frame, and
-- all its bytes as a string. It returns nil if it is not all there.
local function extension(field)
	local tvb, start = field.source, field.offset
	if start + 4 > tvb:len() then return nil end
	local size = 4 + tvb(start + 2, 2):uint()
	if start + size > tvb:len() then return nil end
	local range = tvb(start, size)
	return {range = range, bytes = range:raw()}
end

-- collect returns the handshake messages of the frame: their kind, stream and extension
-- blocks, each with its tls_flags by type, and the bytes of those in the last block.
local function collect(pinfo)
	local found, stream, message, block = {}, nil, nil, nil
	for _, field in ipairs {all_field_infos()} do
		local name = field.name
		local part = string.match(name, "^d?tls%.handshake%.(.*)$")
		if streams[name] then
			stream = name .. " " .. tostring(field.value)
		elseif part == "type" then
			-- A message in DTLS that is a fragment has a type, and nothing of what follows.
			message = {kind = kinds[field.value], blocks = {}, sent = {}, stream = stream, frame = pinfo.number,
				from = tostring(pinfo.src) .. " " .. tostring(pinfo.src_port)}
			block = nil
			found[#found + 1] = message
		elseif message and part == "random" then
			message.whole = true
			if message.kind == "ServerHello" and string.lower(tostring(field.range:bytes())) == retry then
				message.kind = "HelloRetryRequest"
			end
		elseif message and part == "extensions_length" then
			block = {}
			message.blocks[#message.blocks + 1] = block
			message.whole = true
		elseif block and part == "extension.type" and (field.value == code_points[1] or field.value == code_points[2]) then
			local ext = extension(field)
			block[field.value], message.sent[field.value] = ext, ext and ext.bytes
		end
	end
	return found
end

-- parse returns the flags of an extension, given with its type and length, and the error.
local function parse(bytes)
	local len = #bytes - 4
	if len == 0 then return {}, "empty_data" end
	local n = bytes:byte(5)
	if n == 0 then return {}, "empty_vector" end
	if n > len - 1 then return {}, "inner_too_long" end
	if n < len - 1 then return {}, "trailing_bytes" end
	local flags = {}
	for i = 0, n - 1 do
		local octet = bytes:byte(6 + i)
		for bit = 0, 7 do
			if octet % 2 == 1 then flags[#flags + 1] = 8 * i + bit end
			octet = (octet - octet % 2) / 2
		end
	end
	if #flags == 0 then return {}, "all_zero" end
	if bytes:byte(-1) == 0 then return {}, "trailing_zero" end
	return flags
end

-- last returns the last message of a kind in the frames before, in the stream of the given
-- one. No message answers one of its own frame.
local function last(kind, message)
	local list = history[message.stream] or {}
	for i = #list, 1, -1 do
		if list[i].kind == kind and list[i].frame < message.frame then return list[i] end
	end
end

-- offer returns the flags that a message may answer, as a set, and whether what it answers
-- had the extension. It returns nil if that was not seen.
local function offer(message, code_point)
	local asked = last("ClientHello", message)
	if asked and message.kind == "Certificate" and message.from == asked.from then
		asked = last("CertificateRequest", message)
	end
	if not asked then return nil end
	local set, bytes = {}, asked.sent[code_point]
	for _, flag in ipairs(bytes and parse(bytes) or {}) do set[flag] = true end
	return set, bytes ~= nil
end

-- judge returns the error of flags that are not malformed, and the flag that is wrong.
local function judge(kind, flags, offered)
	for _, flag in ipairs(flags) do
		if answers[kind] and offered and not offered[flag] then return "flag_unsolicited", flag end
	end
	for _, flag in ipairs(flags) do
		local known = registry[flag]
		if known and not known.messages[kind] then return "flag_misplaced", flag end
		if known and known.answer == kind and offered and not offered[flag] then return "flag_unsolicited", flag end
	end
end

-- check returns the flags of an extension, the error, and the flag that is wrong.
local function check(message, code_point, bytes)
	local offered, requested = offer(message, code_point)
	local flags, code = parse(bytes)
	if answers[message.kind] and offered and not requested then return flags, "flags_unrequested" end
	if code then return flags, code end
	return flags, judge(message.kind, flags, offered)
end

-- changed says whether the message is a ClientHello after a HelloRetryRequest, and has other
-- tls_flags than the ClientHello before.
local function changed(message)
	if message.kind ~= "ClientHello" then return false end
	local first, request = last("ClientHello", message), last("HelloRetryRequest", message)
	if not first or not request or request.frame < first.frame then return false end
	for _, code_point in ipairs(code_points) do
		if first.sent[code_point] ~= message.sent[code_point] then return true end
	end
	return false
end

local function add_error(tree, code, flag)
	local text = code .. ": " .. errors[code][2]
	if flag then text = text .. " (flag " .. flag .. ")" end
	tree:add(f_error, code):set_generated()
	tree:add_proto_expert_info(errors[code][1], text)
end

-- show adds the tls_flags of a message to the tree.
local function show(message, root)
	local other = changed(message)
	for _, block in ipairs(message.blocks) do
		local code_point = block[code_points[1]] and code_points[1] or code_points[2]
		local ext = block[code_point]
		if ext then
			local tree = root:add(tlsflags, ext.range, "TLS Flags, " .. message.kind)
			tree:add(f_message, message.kind):set_generated()
			tree:add(f_type, ext.range(0, 2))
			local flags, code, flag = check(message, code_point, ext.bytes)
			for _, number in ipairs(flags) do
				tree:add(f_flag, ext.range(5 + (number - number % 8) / 8, 1), number)
			end
			if other then code, flag, other = "second_hello_changed", nil, false end
			if code then add_error(tree, code, flag) end
		end
	end
	if other then
		local tree = root:add(tlsflags, "TLS Flags, " .. message.kind .. " without tls_flags")
		tree:add(f_message, message.kind):set_generated()
		add_error(tree, "second_hello_changed")
	end
end

-- remember keeps what later messages of the stream are compared with.
local function remember(message)
	if not message.stream or not message.whole then return end
	local list = history[message.stream] or {}
	history[message.stream] = list
	list[#list + 1] = {kind = message.kind, frame = message.frame, from = message.from, sent = message.sent}
end

function tlsflags.dissector(_, pinfo, root)
	if not asked_for["tls.handshake.type"]() and not asked_for["dtls.handshake.type"]() then return end
	for _, message in ipairs(collect(pinfo)) do
		if message.kind then
			show(message, root)
			if not pinfo.visited then remember(message) end
		end
	end
end

register_postdissector(tlsflags)
