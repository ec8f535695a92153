import Tokens

/// Published keys and tokens, and some that another implementation made. Each says where it is from.
enum Vectors {
  /// The claims of RFC 7515 appendix A: no user, and over since 2011.
  static let joe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

  // RFC 7515 A.2, RS256.
  static let modulusA2 =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"
    + "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
    + "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
    + "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
  static let keyA2 = #"{"kty":"RSA","n":"\#(modulusA2)","e":"AQAB"}"#
  static let signatureA2 =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG"
    + "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
    + "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
    + "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
  static let tokenA2 = "eyJhbGciOiJSUzI1NiJ9.\(joe).\(signatureA2)"

  // RFC 7515 A.3, ES256.
  static let keyA3 =
    #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
  static let signatureA3 = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
  static let tokenA3 = "eyJhbGciOiJFUzI1NiJ9.\(joe).\(signatureA3)"

  // RFC 8037 A.2 and A.4, EdDSA. What it signs is no JSON.
  static let keyEd25519 =
    #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
  static let tokenEd25519 =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    + ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

  // RFC 7520 section 4. Its key id holds an @, which no token of ours may.
  static let frodo =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0"
    + "aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91"
    + "IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
  static let modulus4 =
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMa"
    + "JMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c"
    + "S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd"
    + "q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
  static let key41 = #"{"kty":"RSA","use":"sig","n":"\#(modulus4)","e":"AQAB"}"#
  static let header41 = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
  static let signature41 =
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7P"
    + "NDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9e"
    + "Ro4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4"
    + "uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
  static let header42PS384 = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
  static let signature42PS384 =
    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dD"
    + "DItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ij"
    + "Q7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAj"
    + "VKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"
  static let key43P521 =
    #"{"kty":"EC","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYg"#
    + #"CF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}"#
  static let key44 = #"{"kty":"oct","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}"#
  static let header44 =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
  static let signature44 = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"

  // Made by PyJWT 2.15.1 for `{"sub":"ann","exp":1800000060}`: what no RFC has an example for.
  static let modulus =
    "j3L3j0BBk0ZCn-fBWcew5AcwCIj3Cqg-MDE_RKaOdCxm9h68PJw4RJsBLnvIrB1uCdGbqU0pQhbVorCjBovZ5VOa1cLYroNc"
    + "QqdNcgVQ6gzRubFv9Ig2JB4AOb_SrE0zungGYpzblskSAapaLzvlsMuFTge_SU07CAOBe5TpzYNDHtoRlqGy9ZEkJ486v-Mh"
    + "VAkMDs4L7Ww7zPs6riP6C6jhH3bP8rOcZfX9yBfsdE_S2KjmY--NEY4qzo8MGRj7pty6Hmvz8dLTZgCyQ7xI0BRTezBtAAtq"
    + "Gn7_OM20h3Czcbs7fZB06SQCi0BNyE64aUNo1snzKtqFHcnu46PE3w"
  static let rsa = #"{"kty":"RSA","n":"\#(modulus)","e":"AQAB"}"#
  static let p384 =
    #"{"kty":"EC","crv":"P-384","x":"TzdJ7305uPks7gSAk0ypH_Pyq3mLIyrEBf5R4U5h2IiJcHbmvqgcD-js_wJtIXbh","#
    + #""y":"kiivOMEcscA_sDaw-4sAFEx-x1C5-YsW-Rd8G9CPHgefnrCkxALulyQGF6xlMLCR"}"#
  static let secret = "a secret of thirty-two bytes, no less, and more than that: sixty-four"
  static let rs384 =
    "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.JbdFJJUORCabTZsCz1"
    + "91uo_oUVE6uKVVCZZKF0B1qYxgRf5Dy1YLkrKK0XYy3LIeC1XUT2wB5cB8oH7BuddRJ_JDvletCouQaUOi16R5FwZq7B63wx"
    + "_Tfi61wIVhg-ySBXIYDaIsTleo1O2L2IFKPIe3I1xtznkyNQ_tGUL9jSPdjyxEmAZCH3UgkS9KGrdo_Ps-vOb5c8wJW_dbLm"
    + "xDCIZqzeovDJDdcLyMOYn6_2mV7l7LwQh-JqsnB6MZeA4tIuYRzODu3dovUo-yru4tLq4Zlzm8hyGcsdvJ3FZzQTkHaAqb-7"
    + "6XAq0_BpPLQhfZUOcRem_WdQboMCVpKnlpyQ"
  static let rs512 =
    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.LGLsvgqkm_ugLCFNRV"
    + "UmKEFt14qxQzpuRWKuCmIiplwdtNar1gCB883ABEBom7Aq_36gThFRYZ9H7o8YGguCxkMs3WZ4kI0hf6S9-3awqMZoBeJ_zD"
    + "tkF9mvKgz8ngsc96D5O4GJcHjeF-9LyaCMDVsT7NTcFfAkghXr9QgSrkS7aCaNdRYJMjY6gPwUvv5oi4EI1mzoKe3rpV3_CN"
    + "DNaK1nUTS68tiRBLpe-bYqiY499zVVDNe8IYmGY4j_8kaTeuEoi84y1bVv8AwsdgVhd9Ytm8gYJBwLkdYOGxOo_dTD7PtDnH"
    + "JJ_QtoLefuQkV79BolO1rIH4d6PgfFB8OoXw"
  static let ps256 =
    "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.TE3ODlgolTNDvYqe64"
    + "Tju2afcneffhjSn8EKsgKnkwiS8Y-tYSSS5I65Rdu_7Nt2P_FjDjtQFoSrTUsZg6REODpj4VLhVdR4daJCz1k5XSbRi-pLUA"
    + "eTTA4grnmhphz2Aenh7C9mFwIsfebtMtQqaAbicNtcy_edWQ7PqqnvhUPwGzfh9kIbRA-FdV1s2joFbn8-zGvVfWcoArDC7L"
    + "GczhzsZ1hMKSBGTgWEvchwl80Trg-hD9RBVhLoN0_zgi1Eax3h9F6MqHgXlWftHPzYCN3gnYwRFXpllYSKujDDRaMPV_McN3"
    + "XuT9xngAr5PYDexz2OOSyvuL3pg_fhfQ3Aog"
  static let es384 =
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.6xpHenSmC2RGz3nRBj"
    + "3_LO4NY5dkJU5Vsp9dOnowyVVEFv7bmyJYcsJc1tAeP8yF8iid9aZzmkgs4tTE9kfPjrPkap4zuyQzOmB0nowLG-lqwK0dwH"
    + "btxt2DGVRNgUFS"
  static let hs384 =
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.z_k5wGd2mT5T2djgr-"
    + "KMKC_wW5IIIv1_QtsAkC0ijcLsM8t86OQPLJXbttiC6ulA"
  static let hs512 =
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.RPqhKLV_6tYiFrlA2R"
    + "m1A8lHm8iOAi2ryZM_2e3PpLcCE8HohaB1pIuNlrW_zizkLbWlV6FZ-jmYpw9XzXzO9A"
}
