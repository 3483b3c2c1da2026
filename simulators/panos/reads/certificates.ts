/**
 * Certificates that simulated devices have in their configuration. Made once by `openssl req -x509`; their private keys
 * weren't kept. Only what clients look at matters: algorithm, key size, hash.
 */
export interface CertificateFact {
  name: string;
  algorithm: 'RSA' | 'EC';
  /** PEM. */
  publicKey: string;
  subject: string;
  /** As openssl prints it. */
  notBefore: string;
  notAfter: string;
}

const made = { notBefore: 'Nov 23 05:26:43 2026 GMT', notAfter: 'Nov 18 05:26:43 2046 GMT' };

export const CERTIFICATES = {
  /** RSA of 2048 bit, SHA-256: good. */
  rsa: {
    name: 'vpn-gateway',
    algorithm: 'RSA',
    subject: 'rsa2048.simulated.example',
    ...made,
    publicKey: `-----BEGIN CERTIFICATE-----
MIIDKTCCAhGgAwIBAgIUIP0meziN+87vWV89e0Tqy/hQubMwDQYJKoZIhvcNAQEL
BQAwJDEiMCAGA1UEAwwZcnNhMjA0OC5zaW11bGF0ZWQuZXhhbXBsZTAeFw0yNjEx
MjMwNTI2NDNaFw00NjExMTgwNTI2NDNaMCQxIjAgBgNVBAMMGXJzYTIwNDguc2lt
dWxhdGVkLmV4YW1wbGUwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDH
HHri7RxkzHHUaoa4dUTX6iRDs0y/94Revhio5JTtUW/58WRO+yLLpJAlXdpRJf1m
HHwTp2JgaW4YZVwvDlhGUPqMi3Z3ZlY4AxOeMXJ+5LyzuOSvxvarlK1UvnrdS8bM
646GP4DVJwH/qUum6JVyy4jC1toMntuD4iMfwiZwn1eQOTf6nb6K+W1OlBBgUnd3
6UICRi2Dz48JjLVS4Zj4AZZrMCD0aPaXR2aYGrhYJx3nD+J+gflTJQCgUuPIIqDV
ZoXfBDjd6JI9W312XPlTpr+USne/e0IVl17yFwJ/6BuRhqBuundfCZvWCgTuk11w
Q6J0uAovrJO01LEpcq9VAgMBAAGjUzBRMB0GA1UdDgQWBBQtmiKVNdNKGZXi2qVS
UzCApjoAxTAfBgNVHSMEGDAWgBQtmiKVNdNKGZXi2qVSUzCApjoAxTAPBgNVHRMB
Af8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQAsvp5FjlGb1NplKwGjycJTf4Zy
6W+4BWChP/DkuaQU4UNiuj7V3nQYF/a6YVLkOy+oCJfGT6z7f1zweiTv3yFoYPtE
0JC3zn7MRv70qtyfdfzMvtF7xvB41eW9MLvI1qdULshZRo1K3na2J9vaACWEMjFs
WxbANXQA4NH82D9nN2WzwWJrdZwRcPzhmmE5S3k6xoQaY9VBKuI8tHgtn3i9nqxS
pGeSo6eiZsBCV9RYsoNd6M0jhZ3rEYPMup3NXUZ8DelWCV6EUlFwdYWJ5k2A7XV2
dVf1DSeRKPwAADeUswLwy/vsyll0LOWV2ypR0HHWZlwSdM0LO3kooqQzTPNm
-----END CERTIFICATE-----
`,
  },
  /** On curve P-256, SHA-256: good. */
  ec: {
    name: 'portal',
    algorithm: 'EC',
    subject: 'ec.simulated.example',
    ...made,
    publicKey: `-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIUN1wsj83ywdnip6ThtOFmOYf4d+kwCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUZWMuc2ltdWxhdGVkLmV4YW1wbGUwHhcNMjYxMTIzMDUyNjQz
WhcNNDYxMTE4MDUyNjQzWjAfMR0wGwYDVQQDDBRlYy5zaW11bGF0ZWQuZXhhbXBs
ZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDseZgutUjnqywRPKgj1KcHH70mK
Lxotwfae8fObpHiy2dOvAvA4sYU4j5ASIyyoEn6IGa6kfv/rPqHc6H4MUk+jUzBR
MB0GA1UdDgQWBBQPkUq9rkJ4poZXAm0sasePrR/SNzAfBgNVHSMEGDAWgBQPkUq9
rkJ4poZXAm0sasePrR/SNzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
MEUCIDhTtCS2XCeALVSyO+1S02ItWGBNW3LyuA5DUp5DbTMAAiEA83lVHR4QftSo
8j6+HCoaaSF7h39wAXIRNZntivcfFik=
-----END CERTIFICATE-----
`,
  },
  /** RSA of 1024 bit, SHA-1: too weak for current releases. */
  weak: {
    name: 'old-portal',
    algorithm: 'RSA',
    subject: 'rsa1024.simulated.example',
    ...made,
    publicKey: `-----BEGIN CERTIFICATE-----
MIICJDCCAY2gAwIBAgIUODLikh4BKzWbJ4Hjy1dxA6mki0owDQYJKoZIhvcNAQEF
BQAwJDEiMCAGA1UEAwwZcnNhMTAyNC5zaW11bGF0ZWQuZXhhbXBsZTAeFw0yNjEx
MjMwNTI2NDNaFw00NjExMTgwNTI2NDNaMCQxIjAgBgNVBAMMGXJzYTEwMjQuc2lt
dWxhdGVkLmV4YW1wbGUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAKIw45za
SuQc2NfEUoKvCdykOsOuavY7xD+B5XOiDvcZwnMO9BW0KwxHDCF4Zs7Pw4ovlFxb
qQlyb/GA3dk4G7k7wQXEnMh7KMuv826EBKPPk7xPz6KMaiztWBbedeekVSLiIZPK
mk5NBdIiEc0c8+KXtANo3iuMh6bC9spdpieLAgMBAAGjUzBRMB0GA1UdDgQWBBTL
QH2qzn/VMmxbw0rXz39vjGqVPDAfBgNVHSMEGDAWgBTLQH2qzn/VMmxbw0rXz39v
jGqVPDAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBBQUAA4GBAGEyYta/csua
0AFs96998f8ZVLA2cZ82eVgyHLJN3gXgyBY2N7PRTO3Cve4KCwYFvPipiUR5A36v
AvGIUQz0/ItCpFted8naOBMJzt/bvJunxErfxxpdsrOlBVAxcFoHR0POkzjxh/cH
sZkoSAPXjlkQdBs+Dvp9h5relC5cGYya
-----END CERTIFICATE-----
`,
  },
} as const satisfies Record<string, CertificateFact>;
