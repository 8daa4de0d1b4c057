curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v3/embeddings/multimodal \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "doubao-embedding-vision", "input": [ { "type": "image_url", "image_url": {"url": "https://example.com/product.png"} }, { "type": "text", "text": "商品主图" } ] }'
