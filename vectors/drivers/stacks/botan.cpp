// The ClientHello parser of Botan. Each line of standard input is "message", a tab and a
// handshake message in hexadecimal; the answer is "accept", "alert" and its number, or "waits".
#include <botan/tls_exceptn.h>
#include <botan/tls_extensions.h>
#include <botan/tls_messages.h>
#include <botan/hex.h>
#include <botan/version.h>
#include <iostream>

static std::string answer(const std::vector<uint8_t> &m)
{
	// Botan's record layer reads the header.
	if (m.size() < 4)
		return "waits";
	const size_t length = m[1] << 16 | m[2] << 8 | m[3];
	if (m.size() - 4 < length)
		return "waits";
	if (m[0] != Botan::TLS::CLIENT_HELLO)
		return "alert 10";
	try {
		Botan::TLS::Client_Hello(std::vector<uint8_t>(m.begin() + 4, m.begin() + 4 + length));
		return "accept";
	} catch (const Botan::TLS::TLS_Exception &e) {
		return "alert " + std::to_string(e.type());
	} catch (const Botan::Decoding_Error &) {
		return "alert 50"; // as Channel_Impl::received_data has it
	} catch (const std::exception &) {
		return "alert 80";
	}
}

int main()
{
	std::cout << "botan@" << Botan::short_version_string() << std::endl;
	for (std::string line; std::getline(std::cin, line);)
		std::cout << answer(Botan::hex_decode(line.substr(line.find('\t') + 1))) << std::endl;
}
