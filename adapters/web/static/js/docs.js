// The API's documentation, made of /openapi.json by a Swagger UI that asks no other host.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
