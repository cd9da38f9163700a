import type { IncomingMessage } from "node:http";
import { BlockList, isIPv6 } from "node:net";

/** The header in which Better Auth finds the client's address. Nothing else can set it. */
export const clientAddressHeader = "x-rowhouse-client-address";

/**
 * The address of the client: that of the connection and, when this is a proxy of ours, the last in
 * X-Forwarded-For that is none. What a client writes into that header itself is never taken. A client
 * within a network of proxies, as on a LAN, is whom the nearest proxy names.
 */
export function clientAddress(request: IncomingMessage, proxies: BlockList): string {
  const connected = plain(request.socket.remoteAddress ?? "");
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
  const chain = [...forwarded.map((address) => plain(address.trim())).filter(Boolean), connected];
  return chain.findLast((address) => !isListed(proxies, address)) ?? chain.at(-2) ?? connected;
}

/**
 * A list of addresses and networks.
 *
 * @param proxies Like "10.0.0.5" and "10.0.0.0/24".
 * @throws Error for what is neither.
 */
export function proxyList(proxies: readonly string[]): BlockList {
  const listed = new BlockList();
  for (const proxy of proxies) {
    const [address = "", bits] = proxy.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) listed.addAddress(address, family);
    else listed.addSubnet(address, Number(bits), family);
  }
  return listed;
}

/** IPv4 in the form of IPv6 (RFC 4291, section 2.5.5.2) is the same address. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

function isListed(proxies: BlockList, address: string): boolean {
  return proxies.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
