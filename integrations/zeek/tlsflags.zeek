##! Logs the TLS Flags extension of ClientHellos and ServerHellos to tlsflags.log. It has not been run.

module TLSFlags;

export {
	redef enum Log::ID += { LOG };

	type Info: record {
		ts: time &log;
		uid: string &log;
		id: conn_id &log;
		is_client: bool &log;
		## The extension type: 62, or 65025 of experiments.
		code: count &log;
		## Whether it breaks draft-ietf-tls-tlsflags-16, Section 2. It has no flags then.
		malformed: bool &log;
		## The numbers of the flags: 80 is request_mtls.
		flags: vector of count &log;
	};
}

event zeek_init()
	{
	Log::create_stream(TLSFlags::LOG, [$columns=Info, $path="tlsflags"]);
	}

event ssl_extension(c: connection, is_client: bool, code: count, val: string)
	{
	if ( code != 62 && code != 65025 )
		return;

	# opaque flags<1..255>, whose last octet is not zero.
	local flags: vector of count = vector();
	local n = |val|;
	local malformed = n < 2 || bytestring_to_count(val[0]) + 1 != n || bytestring_to_count(val[n - 1]) == 0;
	local i = 1;
	while ( ! malformed && i < n )
		{
		local octet = bytestring_to_count(val[i]);
		local bit = 0;
		while ( bit < 8 )
			{
			if ( octet % 2 == 1 )
				flags += 8 * (i - 1) + bit;
			octet = octet / 2;
			++bit;
			}
		++i;
		}

	Log::write(TLSFlags::LOG, [$ts=network_time(), $uid=c$uid, $id=c$id, $is_client=is_client,
	                           $code=code, $malformed=malformed, $flags=flags]);
	}
